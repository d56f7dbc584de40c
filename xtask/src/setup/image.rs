//! The image of the demo and the tests.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use anyhow::Context;

use super::apt::{self, Package};
use crate::{engine::Engine, process, progress, temporary::Folder};

/// The image of the documented request.
pub const ALPINE: &str = "alpine:latest";

/// A registry that answers does so at once; one that does not must not hold up the demo.
const PULL_LIMIT: Duration = Duration::from_secs(40);

const BUSYBOX: &str = "/bin/busybox";

/// Makes sure of `alpine:latest`: the one that is there, else a pulled one, else one made from busybox.
pub fn ensure_pulled_or_made(engine: &Engine) -> anyhow::Result<()> {
    if is_present(engine) {
        return Ok(());
    }
    let pulled = progress::during(&format!("pulling {ALPINE}"), || {
        process::quietly_within(engine.docker().args(["pull", ALPINE]), Some(PULL_LIMIT))
    });
    match pulled {
        Ok(()) => Ok(()),
        Err(error) => {
            crate::signals::check()?;
            eprintln!("{ALPINE} cannot be pulled ({error:#})");
            make(engine)
        }
    }
}

/// Makes sure of `alpine:latest` without asking any registry, so that tests see the same image everywhere.
pub fn ensure_made(engine: &Engine) -> anyhow::Result<()> {
    if is_present(engine) { Ok(()) } else { make(engine) }
}

fn is_present(engine: &Engine) -> bool {
    process::succeeds(engine.docker().args(["image", "inspect", ALPINE]))
}

fn make(engine: &Engine) -> anyhow::Result<()> {
    apt::ensure(
        &[Package {
            name: "busybox-static",
            proof: BUSYBOX,
        }],
        "a stand-in for the alpine image",
    )?;
    progress::during(
        &format!("making a stand-in for {ALPINE} from Debian's busybox-static"),
        || {
            let folder = Folder::create("image")?;
            let (root, archive) = (folder.path().join("root"), folder.path().join("root.tar"));
            lay_out(&root)?;
            let mut tar = Command::new("tar");
            tar.args(["--owner=0", "--group=0", "--numeric-owner", "--create", "--file"])
                .arg(&archive);
            process::quietly(tar.arg("--directory").arg(&root).arg("."))?;
            let path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
            let mut import = engine.docker();
            import
                .args(["import", "--change", path, "--change", r#"CMD ["/bin/sh"]"#])
                .arg(&archive)
                .arg(ALPINE);
            process::quietly(&mut import)
        },
    )
    .with_context(|| format!("cannot make {ALPINE}"))
}

/// A root file system: busybox under the name of each of its programs, and the few files programs look for.
fn lay_out(root: &Path) -> anyhow::Result<()> {
    for folder in [
        "bin", "dev", "etc", "home", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin", "var/tmp",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    for folder in ["tmp", "var/tmp"] {
        fs::set_permissions(
            root.join(folder),
            std::os::unix::fs::PermissionsExt::from_mode(0o1777),
        )?;
    }
    fs::copy(BUSYBOX, root.join("bin/busybox"))?;
    for applet in process::capture(Command::new(BUSYBOX).arg("--list"))?.lines() {
        if applet != "busybox" {
            symlink("/bin/busybox", root.join("bin").join(applet))?;
        }
    }
    fs::write(
        root.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    )?;
    fs::write(root.join("etc/group"), "root:x:0:\nnobody:x:65534:\n")?;
    fs::write(
        root.join("etc/os-release"),
        "NAME=\"Parity stand-in for Alpine (busybox-static)\"\nID=parity-busybox\n",
    )?;
    Ok(())
}
