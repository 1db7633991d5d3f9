// Checks objects, given as a file with a JSON array, against the schemas of the
// Prometheus Operator.
import { readFileSync } from "node:fs";

// An import by name does not search NODE_PATH.
const models = await import(
  `${process.env.NODE_PATH}/@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/index.js`
);

for (const object of JSON.parse(readFileSync(process.argv[2]))) {
  try {
    new models[object.kind](object).validate();
  } catch (error) {
    console.error(`${object.kind} ${object.metadata.name}: ${error.message}`);
    process.exitCode = 1;
  }
}
