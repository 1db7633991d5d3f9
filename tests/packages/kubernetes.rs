//! The manifests: rendered by kubectl as users render them, and checked against the
//! schemas of Kubernetes and of the Prometheus Operator.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use test_support::program::command;
use test_support::repository;
use test_support::tools;

use super::command_line::is_variable;
use super::{LONGEST_STOP, generated, output_of};

const FOLDER: &str = "packaging/kubernetes";
/// The example of one account, and that of several in shards. Each uses every part.
const EXAMPLES: [&str; 2] = ["example", "example-accounts"];
const ACCOUNTS: &str = "example-accounts";

/// Returns the objects of each example, or `None` without the tools.
fn examples() -> Option<Vec<Vec<Value>>> {
    let folder = repository(FOLDER);
    let objects = EXAMPLES.iter().map(|example| objects(&folder, example));
    objects.collect()
}

/// Returns the objects of an example, or `None` without the tools.
fn objects(folder: &Path, example: &str) -> Option<Vec<Value>> {
    let kubectl = tools::require("kubectl")?;
    let python = tools::require("tests-python")?;
    let mut render = Command::new(kubectl);
    let yaml = output_of(render.arg("kustomize").arg(folder.join(example)));
    let script =
        "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let mut convert = Command::new(python);
    let json = output_about(convert.args(["-c", script]), &yaml);
    Some(serde_json::from_str(&json).expect("JSON"))
}

/// Returns the output of a command that is given a file with this text.
fn output_about(command: &mut Command, text: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("a file");
    output_of(command.arg(file.path()))
}

fn the_only<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let of_kind: Vec<_> = objects
        .iter()
        .filter(|object| object["kind"] == kind)
        .collect();
    assert_eq!(of_kind.len(), 1, "{kind}");
    of_kind[0]
}

#[test]
fn every_object_matches_its_schema() {
    let (Some(examples), Some(python), Some(node)) = (
        examples(),
        tools::require("tests-python"),
        tools::require("node"),
    ) else {
        return;
    };
    if tools::require_node_module("@kubernetes-models/prometheus-operator").is_none() {
        return;
    }
    let objects = examples.iter().flatten();
    let (operator, core): (Vec<_>, Vec<_>) = objects.partition(|object| is_of_operator(object));
    assert!(core.len() >= 12 && operator.len() >= 12);
    let with = |program, script: &str, objects: &[&Value]| {
        let mut validate = Command::new(program);
        validate.arg(repository("tests/packages").join(script));
        validate.env("NODE_PATH", tools::node_modules());
        let objects = serde_json::to_string(objects).expect("JSON");
        output_about(&mut validate, &objects)
    };
    with(python, "validate_core.py", &core);
    with(node, "validate_operator.mjs", &operator);
}

fn is_of_operator(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    version.starts_with("monitoring.coreos.com/")
}

/// The schemas above let a list be null, and API servers and rulers do not.
#[test]
fn no_list_is_null_or_empty() {
    for object in examples().unwrap_or_default().iter().flatten() {
        let mut empty = Vec::new();
        find_empty(object, "", &mut empty);
        let name = &object["metadata"]["name"];
        assert_eq!(empty, Vec::<String>::new(), "{} {name}", object["kind"]);
    }
}

fn find_empty(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Array(items) if items.is_empty() => found.push(path.to_owned()),
        Value::Array(items) => items
            .iter()
            .for_each(|item| find_empty(item, &format!("{path}[]"), found)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| find_empty(value, &format!("{path}.{key}"), found)),
        _ => {}
    }
}

/// The operator of kube-prometheus-stack ignores what has no such label.
#[test]
fn each_object_of_the_operator_has_the_label_that_it_is_chosen_by() {
    for object in examples().unwrap_or_default().iter().flatten() {
        let release = &object["metadata"]["labels"]["release"];
        assert_eq!(release.is_string(), is_of_operator(object), "{object}");
    }
}

#[test]
fn the_folder_can_be_copied_elsewhere() {
    let Some(here) = examples() else {
        return;
    };
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut copy = Command::new("cp");
    output_of(
        copy.arg("-R")
            .arg(repository(FOLDER))
            .arg(elsewhere.path().join("audit")),
    );
    for (objects_here, example) in here.iter().zip(EXAMPLES) {
        let objects_there = objects(&elsewhere.path().join("audit"), example);
        assert_eq!(objects_there.as_ref(), Some(objects_here), "{example}");
    }
}

#[test]
fn the_accounts_are_taken_and_each_shard_has_some() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in generated::files(&repository(FOLDER).join(ACCOUNTS).join("accounts")) {
        let text = text.replace("REPLACE-with-the-API-secret", "abcDEF123456");
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let config = folder.path().join("exporter.yml");
    for shard in ["0", "1"] {
        let mut check = command();
        check
            .arg("check-config")
            .arg(format!("--config.file={}", config.display()))
            .args(["--shard.count=2", &format!("--shard.index={shard}")]);
        let said = output_of(&mut check);
        let names = ["production", "staging", "partner"];
        assert!(names.iter().any(|name| said.contains(name)), "{said}");
    }
}

#[test]
fn the_shards_are_as_many_as_the_pods_and_read_the_accounts() {
    let Some(objects) = objects(&repository(FOLDER), ACCOUNTS) else {
        return;
    };
    let set = &the_only(&objects, "StatefulSet")["spec"];
    let pod = &set["template"]["spec"];
    let variables = pod["containers"][0]["env"].as_array().expect("variables");
    let variables: BTreeMap<_, _> = variables
        .iter()
        .filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str()?)))
        .collect();
    let shards = variables["NEXMO_AUDIT_SHARD_COUNT"].parse::<u64>();
    assert_eq!(set["replicas"].as_u64(), shards.ok());

    let config = variables["NEXMO_AUDIT_CONFIG_FILE"];
    let (folder, file) = config.rsplit_once('/').expect("a path");
    let mounts = pod["containers"][0]["volumeMounts"].as_array();
    let is_read = |mount: &Value| mount["mountPath"] == folder && mount["name"] == "account";
    assert!(mounts.expect("mounts").iter().any(is_read));
    let secret = the_only(&objects, "Secret");
    let volume = &pod["volumes"][0]["secret"];
    assert_eq!(volume["secretName"], secret["metadata"]["name"]);
    assert!(secret["data"][file].is_string(), "{file}");
}

#[test]
fn the_pod_has_the_time_for_the_last_call_and_the_answers_in_flight() {
    for objects in examples().unwrap_or_default() {
        let pod = &the_only(&objects, "StatefulSet")["spec"]["template"]["spec"];
        let time = pod["terminationGracePeriodSeconds"].as_u64();
        assert!(time > Some(LONGEST_STOP.as_secs()), "{time:?}");
        // Otherwise discovery drops the pod before its last counts are fetched.
        let service = &the_only(&objects, "Service")["spec"];
        assert_eq!(service["publishNotReadyAddresses"], true);
    }
}

/// The container keeps to "restricted" of the Pod Security Standards, and has a root
/// that cannot be written.
#[test]
fn the_pod_has_few_rights() {
    for objects in examples().unwrap_or_default() {
        let pod = &the_only(&objects, "StatefulSet")["spec"]["template"]["spec"];
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true);
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        for container in pod["containers"].as_array().expect("containers") {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
            assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
            assert!(!container["resources"]["limits"]["memory"].is_null());
        }
        let namespace = &the_only(&objects, "Namespace")["metadata"];
        let enforced = &namespace["labels"]["pod-security.kubernetes.io/enforce"];
        assert_eq!(enforced, "restricted");
    }
}

#[test]
fn the_objects_refer_to_each_other() {
    for objects in examples().unwrap_or_default() {
        refer_to_each_other(&objects);
    }
}

fn refer_to_each_other(objects: &[Value]) {
    let set = &the_only(objects, "StatefulSet")["spec"];
    let labels = &set["template"]["metadata"]["labels"];
    for kind in ["Service", "ServiceMonitor", "NetworkPolicy"] {
        let object = the_only(objects, kind);
        let selector = match kind {
            "Service" => &object["spec"]["selector"],
            "NetworkPolicy" => &object["spec"]["podSelector"]["matchLabels"],
            _ => &object["spec"]["selector"]["matchLabels"],
        };
        assert_eq!(selector, labels, "{kind}");
    }
    let container = &set["template"]["spec"]["containers"][0];
    let port = &container["ports"][0];
    let monitored = &the_only(objects, "ServiceMonitor")["spec"]["endpoints"][0]["port"];
    let service = &the_only(objects, "Service")["spec"]["ports"][0];
    assert_eq!(monitored, &service["name"]);
    assert_eq!(service["targetPort"], port["name"]);
    let policy = &the_only(objects, "NetworkPolicy")["spec"]["ingress"][0]["ports"][0];
    assert_eq!(policy["port"], port["containerPort"]);

    let image = container["image"].as_str().expect("an image");
    let version = concat!("/nexmo-audit-exporter:", env!("CARGO_PKG_VERSION"));
    assert!(image.ends_with(version), "{image}");
    for variable in container["env"].as_array().expect("variables") {
        let name = variable["name"].as_str().expect("a name");
        let setting = name.starts_with("NEXMO_AUDIT_");
        assert!(!setting || is_variable(name), "{name}");
    }
    let mounts = container["volumeMounts"].as_array().expect("mounts");
    assert!(mounts.iter().any(|mount| mount["mountPath"] == "/data"));
}

/// The generated name of the secret is the name that the pod asks for.
#[test]
fn the_pod_reads_the_secret_of_the_account() {
    let Some(objects) = objects(&repository(FOLDER), EXAMPLES[0]) else {
        return;
    };
    let pod = &the_only(&objects, "StatefulSet")["spec"]["template"]["spec"];
    let secret = &the_only(&objects, "Secret")["metadata"]["name"];
    assert_eq!(
        pod["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"],
        *secret
    );
    let volume = &pod["volumes"][0]["secret"];
    assert_eq!(volume["secretName"], *secret);
}

#[test]
fn each_dashboard_is_found_by_the_sidecar() {
    let Some(objects) = objects(&repository(FOLDER), EXAMPLES[0]) else {
        return;
    };
    let mut held = BTreeMap::new();
    for map in objects
        .iter()
        .filter(|object| object["kind"] == "ConfigMap")
    {
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        // `kubectl apply` keeps a copy of the object in an annotation.
        let size = map.to_string().len();
        assert!(size < 200 * 1024, "{size} bytes");
        let files = map["data"].as_object().expect("files");
        held.extend(files.iter().map(|(name, text)| (&**name, text)));
    }
    let folder = repository("dashboards/grafana");
    let entries = fs::read_dir(folder).expect("dashboards");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let boards: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    assert_eq!(held.len(), boards.len());
    for board in boards {
        let name = board
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let text = fs::read_to_string(&board).expect("a dashboard");
        assert_eq!(*held[name], text, "{name}");
    }
}
