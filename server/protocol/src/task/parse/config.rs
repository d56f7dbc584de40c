//! `config`: the command and its limits.

use super::SpecPolicy;
use super::reader::{Complaints, ObjectReader, child};
use super::values::{read_number, read_quantity, read_strings};
use crate::task::{Limits, RequestedLimits};

const MAX_ARGS: usize = 1_000;

pub(super) fn read_config(
    task: &mut ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> Option<(Vec<String>, RequestedLimits)> {
    let mut config = task.required_object("config", complaints)?;
    let command = read_strings(&mut config, "command", MAX_ARGS, complaints).unwrap_or_default();
    for (index, arg) in command.iter().enumerate() {
        if arg.contains('\0') {
            let pointer = child(&config.pointer_to("command"), &index.to_string());
            complaints.add(&pointer, "must not contain a NUL character");
        }
    }
    let limits = config
        .object("limits", complaints)
        .map(|limits| read_limits(limits, policy, complaints))
        .unwrap_or_default();
    config.finish(complaints);
    Some((command, limits))
}

fn read_limits(
    mut object: ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> RequestedLimits {
    let (min, max) = (Limits::MIN, policy.caps);
    let limits = RequestedLimits {
        memory: read_quantity(&mut object, "memory", (min.memory, max.memory), complaints),
        cpus: read_quantity(&mut object, "cpus", (min.cpus, max.cpus), complaints),
        timeout: read_quantity(&mut object, "timeout", (min.timeout, max.timeout), complaints),
        pids: read_number(&mut object, "pids", (min.pids, max.pids), complaints),
        disk: read_quantity(&mut object, "disk", (min.disk, max.disk), complaints),
        output: read_quantity(&mut object, "output", (min.output, max.output), complaints),
        log: read_quantity(&mut object, "log", (min.log, max.log), complaints),
    };
    object.finish(complaints);
    limits
}
