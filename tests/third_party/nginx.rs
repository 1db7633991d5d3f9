//! nginx as a proxy between a server and the exporter.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the command of an nginx that has these directives in its block `http`. Its
/// files are in `folder`.
pub(crate) fn command(program: &Path, folder: &Path, directives: &str) -> Command {
    let path = folder.display();
    let text = format!(
        "daemon off; master_process off; error_log stderr; pid {path}/nginx.pid;\n\
         events {{}}\n\
         http {{\n\
           access_log off;\n\
           client_body_temp_path {path}; proxy_temp_path {path}; fastcgi_temp_path {path};\n\
           uwsgi_temp_path {path}; scgi_temp_path {path};\n\
           {directives}\n\
         }}\n"
    );
    let config = folder.join("nginx.conf");
    fs::write(&config, text).expect("a configuration");
    let mut command = Command::new(program);
    command.arg("-p").arg(folder).arg("-c").arg(&config);
    command
}
