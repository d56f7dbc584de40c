//! The documented request, letter for letter: the demo shows it, and `--once` sends its body.

/// DESIGN section 4.
pub const BODY: &str = r#"{
  "title": "Docker Task", "type": "docker",
  "config": { "command": ["echo", "hello world"] },
  "environment": { "type": "docker", "config": { "image": "alpine:latest", "workdir": "/app", "env": ["KEY=value"] } },
  "reward": 100 }"#;

/// The command to paste into a terminal.
pub fn curl(url: &str) -> String {
    let url = for_people(url);
    format!(r#"curl -X POST {url}/api/tasks -H "Content-Type: application/json" -d '{BODY}'"#)
}

/// The address people type; the server is bound to the number behind it.
pub fn for_people(url: &str) -> String {
    url.trim_end_matches('/').replace("127.0.0.1", "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_command_is_the_documented_one() {
        let documented = r#"curl -X POST http://localhost:8080/api/tasks -H "Content-Type: application/json" -d '{
  "title": "Docker Task", "type": "docker",
  "config": { "command": ["echo", "hello world"] },
  "environment": { "type": "docker", "config": { "image": "alpine:latest", "workdir": "/app", "env": ["KEY=value"] } },
  "reward": 100 }'"#;
        assert_eq!(curl("http://127.0.0.1:8080"), documented);
    }
}
