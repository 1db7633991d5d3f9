//! The manifests: rendered by kubectl as users render them, and checked against the
//! schemas of Kubernetes and of the Prometheus Operator.

use std::fs;
use std::process::Command;

use serde_json::Value;
use test_support::repository;
use test_support::tools;

use super::command_line::is_variable;
use super::{LONGEST_STOP, output_of};

const FOLDER: &str = "packaging/kubernetes";

/// Returns the objects of the example, which uses every part, or `None` without the
/// tools.
fn objects() -> Option<Vec<Value>> {
    let kubectl = tools::require("kubectl")?;
    let python = tools::require("tests-python")?;
    let mut render = Command::new(kubectl);
    let yaml = output_of(
        render
            .arg("kustomize")
            .arg(repository(FOLDER).join("example")),
    );
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
    let (Some(objects), Some(python), Some(node)) = (
        objects(),
        tools::require("tests-python"),
        tools::require("node"),
    ) else {
        return;
    };
    if tools::require_node_module("@kubernetes-models/prometheus-operator").is_none() {
        return;
    }
    let (operator, core): (Vec<_>, Vec<_>) = objects.iter().partition(|object| {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        version.starts_with("monitoring.coreos.com/")
    });
    assert!(core.len() >= 6 && operator.len() >= 6);
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

#[test]
fn the_pod_has_the_time_for_the_last_call_and_the_answers_in_flight() {
    let Some(objects) = objects() else {
        return;
    };
    let pod = &the_only(&objects, "StatefulSet")["spec"]["template"]["spec"];
    let time = pod["terminationGracePeriodSeconds"].as_u64();
    assert!(time > Some(LONGEST_STOP.as_secs()), "{time:?}");
    // Otherwise discovery drops the pod before its last counts are fetched.
    let service = &the_only(&objects, "Service")["spec"];
    assert_eq!(service["publishNotReadyAddresses"], true);
}

/// The container keeps to "restricted" of the Pod Security Standards, and has a root
/// that cannot be written.
#[test]
fn the_pod_has_few_rights() {
    let Some(objects) = objects() else {
        return;
    };
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

#[test]
fn the_objects_refer_to_each_other() {
    let Some(objects) = objects() else {
        return;
    };
    let set = &the_only(&objects, "StatefulSet")["spec"];
    let labels = &set["template"]["metadata"]["labels"];
    for kind in ["Service", "ServiceMonitor", "NetworkPolicy"] {
        let object = the_only(&objects, kind);
        let selector = match kind {
            "Service" => &object["spec"]["selector"],
            "NetworkPolicy" => &object["spec"]["podSelector"]["matchLabels"],
            _ => &object["spec"]["selector"]["matchLabels"],
        };
        assert_eq!(selector, labels, "{kind}");
    }
    let container = &set["template"]["spec"]["containers"][0];
    let port = &container["ports"][0];
    let monitored = &the_only(&objects, "ServiceMonitor")["spec"]["endpoints"][0]["port"];
    let service = &the_only(&objects, "Service")["spec"]["ports"][0];
    assert_eq!(monitored, &service["name"]);
    assert_eq!(service["targetPort"], port["name"]);
    let policy = &the_only(&objects, "NetworkPolicy")["spec"]["ingress"][0]["ports"][0];
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

    // The generated name of the secret is the name that the pod asks for.
    let secret = &the_only(&objects, "Secret")["metadata"]["name"];
    assert_eq!(
        container["env"][0]["valueFrom"]["secretKeyRef"]["name"],
        *secret
    );
    let volume = &set["template"]["spec"]["volumes"][0]["secret"];
    assert_eq!(volume["secretName"], *secret);
}

#[test]
fn each_dashboard_is_found_by_the_sidecar() {
    let Some(objects) = objects() else {
        return;
    };
    let map = the_only(&objects, "ConfigMap");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let held = map["data"].as_object().expect("files");
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
        assert_eq!(held[name], text, "{name}");
    }
}
