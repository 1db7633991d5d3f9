//! The scrape configuration for Prometheus that fits the exporter as it was asked.

use std::fmt::Write;

use exporter_web::ClientNeeds;

use crate::server::own_address::OwnAddress;

/// The scrape configuration for `prometheus.yml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct ScrapeExample<'a> {
    /// The address by which the page was asked for.
    pub(in crate::server) address: &'a OwnAddress,
    /// The path of the metrics; begins with `/`.
    pub(in crate::server) telemetry_path: &'a str,
    /// What the exporter asks of its clients.
    pub(in crate::server) needs: ClientNeeds,
    /// The user whose password was right, if passwords are asked for.
    pub(in crate::server) user: Option<&'a str>,
}

impl ScrapeExample<'_> {
    /// Returns `true` if the configuration names files that have to be there.
    pub(super) fn names_files(&self) -> bool {
        self.needs_authority() || self.needs.password
    }

    /// A proxy shows a certificate of its own, which public authorities sign as a rule, and
    /// asks for none of the exporter's client certificates.
    fn needs_authority(&self) -> bool {
        self.needs.tls && self.address.is_https && !self.address.is_proxied
    }

    /// Returns the lines for `prometheus.yml`. Prometheus looks for the files that they name
    /// in the folder of that file.
    pub(super) fn yaml(&self) -> String {
        let mut yaml = String::from("scrape_configs:\n  - job_name: nexmo-audit\n");
        // Writing to a String cannot fail.
        if self.address.is_https {
            yaml.push_str("    scheme: https\n");
        }
        let path = format!("{}{}", self.address.prefix, self.telemetry_path);
        if path != "/metrics" {
            let _ = writeln!(yaml, "    metrics_path: {}", quoted(&path));
        }
        if self.needs_authority() {
            yaml.push_str("    tls_config:\n      # The authority that has signed the certificate of the exporter.\n      ca_file: nexmo-audit-ca.pem\n");
            if self.needs.certificate {
                yaml.push_str("      # The exporter asks for a certificate, too.\n      cert_file: nexmo-audit-client.pem\n      key_file: nexmo-audit-client.key\n");
            }
        }
        if self.needs.password {
            let user = quoted(self.user.unwrap_or("USER"));
            let _ = writeln!(
                yaml,
                "    basic_auth:\n      username: {user}\n      password_file: nexmo-audit-password"
            );
        }
        yaml.push_str("    static_configs:\n");
        if self.address.is_unix_socket && !self.address.is_proxied {
            yaml.push_str("      # Prometheus cannot ask the unix socket: write the address of the proxy before it.\n");
        }
        let _ = write!(
            yaml,
            "      - targets: [\"{}\"]
    relabel_configs:
      # Stays when the address changes, so that the series go on.
      - target_label: instance
        replacement: nexmo-audit
",
            self.address.host
        );
        yaml
    }
}

/// Writes a text in the double quotes of YAML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            other => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(other));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(is_https: bool, prefix: &str, is_proxied: bool) -> OwnAddress {
        OwnAddress {
            is_https,
            host: "audit.example:10610".to_owned(),
            prefix: prefix.to_owned(),
            is_proxied,
            is_unix_socket: false,
        }
    }

    fn yaml(address: &OwnAddress, telemetry_path: &str, needs: ClientNeeds) -> String {
        let example = ScrapeExample {
            address,
            telemetry_path,
            needs,
            user: Some("a\"lice: é"),
        };
        example.yaml()
    }

    #[test]
    fn the_example_has_what_is_asked_for_and_nothing_else() {
        let all = ClientNeeds {
            tls: true,
            certificate: true,
            password: true,
        };
        let plain = yaml(
            &address(false, "", false),
            "/metrics",
            ClientNeeds::default(),
        );
        for absent in ["scheme", "metrics_path", "tls_config", "basic_auth"] {
            assert!(!plain.contains(absent), "{plain}");
        }
        let whole = yaml(&address(true, "", false), "/probe", all);
        for line in [
            "    scheme: https\n",
            "    metrics_path: \"/probe\"\n",
            "      ca_file: nexmo-audit-ca.pem\n",
            "      cert_file: nexmo-audit-client.pem\n",
            "      key_file: nexmo-audit-client.key\n",
            "      username: \"a\\\"lice: \\U000000E9\"\n",
            "      password_file: nexmo-audit-password\n",
            "      - targets: [\"audit.example:10610\"]\n",
        ] {
            assert!(whole.contains(line), "{line} is not in {whole}");
        }
        let server_only = ClientNeeds {
            certificate: false,
            password: false,
            ..all
        };
        let server_only = yaml(&address(true, "", false), "/metrics", server_only);
        assert!(server_only.contains("ca_file") && !server_only.contains("cert_file"));
        assert!(!server_only.contains("basic_auth"), "{server_only}");
        let proxied = yaml(
            &address(true, "/audit", true),
            "/metrics",
            ClientNeeds::default(),
        );
        assert!(proxied.contains("    scheme: https\n    metrics_path: \"/audit/metrics\"\n"));
        assert!(!proxied.contains("tls_config"), "{proxied}");
    }

    #[test]
    fn behind_a_unix_socket_the_target_is_that_of_the_proxy() {
        let hint = "# Prometheus cannot ask the unix socket";
        let with = |is_proxied| {
            let address = OwnAddress {
                is_unix_socket: true,
                ..address(false, "", is_proxied)
            };
            yaml(&address, "/metrics", ClientNeeds::default())
        };
        assert!(with(false).contains(hint), "{}", with(false));
        assert!(!with(true).contains(hint), "{}", with(true));
    }
}
