//! `environment`: image, working directory, variables and volumes.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Complaints, ObjectReader, child};
use super::values::{check_docker, read_strings};
use crate::task::{EnvVar, ImageRef};

const MAX_ENV: usize = 200;
const MAX_VOLUMES: usize = 8;
const MAX_PATH: usize = 1_000;

pub(super) struct Environment {
    pub(super) image: Option<ImageRef>,
    pub(super) workdir: Option<String>,
    pub(super) env: Vec<EnvVar>,
    pub(super) volumes: BTreeMap<String, String>,
}

pub(super) fn read_environment(task: &mut ObjectReader, complaints: &mut Complaints) -> Option<Environment> {
    let mut environment = task.required_object("environment", complaints)?;
    if let Some(kind) = environment.required::<String>("type", "a string", complaints) {
        check_docker(&environment.pointer_to("type"), &kind, complaints);
    }
    let config = environment.required_object("config", complaints);
    environment.finish(complaints);
    let mut config = config?;
    let read = Environment {
        image: read_image(&mut config, complaints),
        workdir: read_workdir(&mut config, complaints),
        env: read_env(&mut config, complaints),
        volumes: read_volumes(&mut config, complaints),
    };
    config.finish(complaints);
    Some(read)
}

fn read_image(config: &mut ObjectReader, complaints: &mut Complaints) -> Option<ImageRef> {
    let text: String = config.required("image", "a string", complaints)?;
    text.parse()
        .map_err(|error| complaints.add(&config.pointer_to("image"), format!("{error}")))
        .ok()
}

fn read_workdir(config: &mut ObjectReader, complaints: &mut Complaints) -> Option<String> {
    let path: String = config.value("workdir", "a string", complaints)?;
    check_path(&config.pointer_to("workdir"), &path, complaints);
    Some(path)
}

/// An absolute path that stays inside the container: `/proc/self/fd/N` as a working directory was CVE-2024-21626.
fn check_path(pointer: &str, path: &str, complaints: &mut Complaints) {
    let parts = || path.split('/').filter(|part| !part.is_empty());
    if !path.starts_with('/')
        || path.len() > MAX_PATH
        || path.contains('\0')
        || parts().any(|part| part == "..")
    {
        complaints.add(
            pointer,
            format!("must be an absolute path without .., at most {MAX_PATH} bytes"),
        );
    } else if parts()
        .next()
        .is_some_and(|first| ["proc", "sys", "dev"].contains(&first))
    {
        complaints.add(pointer, "must not be under /proc, /sys or /dev");
    }
}

fn read_env(config: &mut ObjectReader, complaints: &mut Complaints) -> Vec<EnvVar> {
    let lines = read_strings(config, "env", MAX_ENV, complaints).unwrap_or_default();
    let pointer = config.pointer_to("env");
    let mut variables = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match parse_env(line) {
            Ok(variable) => variables.push(variable),
            Err(detail) => complaints.add(&child(&pointer, &index.to_string()), detail),
        }
    }
    variables
}

fn parse_env(line: &str) -> Result<EnvVar, &'static str> {
    let (name, value) = line
        .split_once('=')
        .ok_or("must be NAME=value; a bare name would leak the runner's own")?;
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|b| is_name_byte(b) && !b.is_ascii_digit());
    if !starts_well || !name.bytes().all(is_name_byte) {
        return Err("the name before = may hold letters, digits and _, and must not start with a digit");
    }
    if value.contains('\0') {
        return Err("must not contain a NUL character");
    }
    Ok(EnvVar {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

fn read_volumes(config: &mut ObjectReader, complaints: &mut Complaints) -> BTreeMap<String, String> {
    let Some(volumes) = config.value::<BTreeMap<String, String>>(
        "volumes",
        "an object of volume names and container paths",
        complaints,
    ) else {
        return BTreeMap::new();
    };
    let pointer = config.pointer_to("volumes");
    if volumes.len() > MAX_VOLUMES {
        complaints.add(&pointer, format!("must have at most {MAX_VOLUMES} entries"));
    }
    for (name, path) in &volumes {
        let at = child(&pointer, name);
        if name.contains('/') {
            complaints.add(&at, "host paths are not offered: name the volume without a /");
        } else if !is_volume_name(name) {
            complaints.add(&at, "the name may hold up to 64 letters, digits, _ and -");
        }
        check_path(&at, path, complaints);
        if path.split('/').all(str::is_empty) {
            complaints.add(&at, "must not be the root directory");
        }
    }
    let mut seen = BTreeSet::new();
    if !volumes
        .values()
        .all(|path| seen.insert(path.trim_end_matches('/')))
    {
        complaints.add(&pointer, "two volumes have the same path");
    }
    volumes
}

fn is_volume_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
