use protocol::error::ApiError;
use protocol::task::{SpecPolicy, TaskSpec, parse_task};

use super::*;

fn documented() -> TaskForm {
    TaskForm {
        title: "Docker Task".to_owned(),
        image: "alpine:latest".to_owned(),
        command: "echo 'hello world'".to_owned(),
        workdir: "/app".to_owned(),
        env: "KEY=value\r\n\r\nOTHER=with = and space\r\n".to_owned(),
        reward: "100".to_owned(),
        ..TaskForm::default()
    }
}

fn parse(form: &TaskForm) -> Result<TaskSpec, ApiError> {
    let json = form.to_request_json().map_err(ApiError::invalid_input)?;
    parse_task(&json, &SpecPolicy::default())
}

#[test]
fn the_documented_task_can_be_posted_by_form() {
    let spec = parse(&documented()).unwrap();
    assert_eq!(spec.command, ["echo", "hello world"]);
    assert_eq!(spec.env[1].to_string(), "OTHER=with = and space");
    assert_eq!(spec.workdir.as_deref(), Some("/app"));
    assert_eq!(spec.reward.to_string(), "100 PAR");
}

#[test]
fn empty_fields_are_left_out_of_the_request() {
    let form = TaskForm {
        workdir: "  ".to_owned(),
        env: "\r\n".to_owned(),
        ..documented()
    };
    let request: Value = serde_json::from_str(&form.to_request_json().unwrap()).unwrap();
    let expected = json!({
        "title": "Docker Task",
        "type": "docker",
        "config": { "command": ["echo", "hello world"] },
        "environment": { "type": "docker", "config": { "image": "alpine:latest" } },
        "reward": "100",
    });
    assert_eq!(request, expected);
}

#[test]
fn every_field_arrives() {
    let form = TaskForm {
        description: "two\r\nlines".to_owned(),
        memory: " 64m ".to_owned(),
        cpus: "0.5".to_owned(),
        timeout: "90s".to_owned(),
        reward: "0.000000000000000001".to_owned(),
        token: "PAR".to_owned(),
        max_attempts: "2".to_owned(),
        ..documented()
    };
    let spec = parse(&form).unwrap();
    assert_eq!(spec.description, "two\nlines");
    assert_eq!(spec.limits.memory.unwrap().to_string(), "64m");
    assert_eq!(spec.limits.cpus.unwrap().to_string(), "0.5");
    assert_eq!(spec.limits.timeout.unwrap().to_string(), "1m30s");
    assert_eq!(spec.reward.amount.to_string(), "1");
    assert_eq!(spec.max_attempts, 2);
}

#[test]
fn commands_are_split_like_a_shell_splits_them() {
    let words = |line| split_command(line).unwrap();
    assert_eq!(words(""), [""; 0]);
    assert_eq!(words("sh -c \"echo $HOME; ls\""), ["sh", "-c", "echo $HOME; ls"]);
    assert_eq!(words("a\\ b 'c\r\nd'"), ["a b", "c\nd"]);
}

#[test]
fn an_open_quote_is_named() {
    for line in ["echo 'hello", "echo \"hello", "echo \\"] {
        let form = TaskForm {
            command: line.to_owned(),
            ..documented()
        };
        let errors = form.to_request_json().unwrap_err();
        assert!(Field::Command.error(&errors).unwrap().contains("quote"), "{line}");
    }
}

#[test]
fn errors_of_the_parser_land_beside_their_fields() {
    let form = TaskForm {
        env: "GOOD=1\nBARE".to_owned(),
        memory: "lots".to_owned(),
        max_attempts: "many".to_owned(),
        workdir: "app".to_owned(),
        ..TaskForm::default()
    };
    let errors = parse(&form).unwrap_err().errors;
    let wrong: Vec<_> = Field::ALL
        .into_iter()
        .filter(|field| field.error(&errors).is_some())
        .map(Field::name)
        .collect();
    assert_eq!(
        wrong,
        [
            "title",
            "image",
            "workdir",
            "env",
            "memory",
            "reward",
            "max_attempts"
        ]
    );
    assert!(
        Field::Env
            .error(&errors)
            .unwrap()
            .starts_with("entry 2 must be NAME=value")
    );
    assert_eq!(errors_elsewhere(&errors), [""; 0]);
}

#[test]
fn errors_without_a_field_are_not_lost() {
    let error = |pointer: &str, detail: &str| FieldError {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
    };
    let errors = [
        error("/deadline", "is too far"),
        error("", "is too large"),
        error("/title", "is missing"),
    ];
    assert_eq!(
        errors_elsewhere(&errors),
        ["/deadline is too far", "is too large"]
    );
}
