//! Configuration in a directory that is mounted as a `ConfigMap` of Kubernetes.

use std::fs;
use std::os::unix::fs::symlink;

use pointsman_tests::{FakeModel, Gateway, fresh_directory};

use crate::fleet::{ask, chat, in_order};

#[tokio::test]
async fn a_changed_config_map_is_reloaded_without_a_restart() {
    let model = FakeModel::saying("hello there").await;
    let mount = fresh_directory();
    // The kubelet writes a new directory, and renames a link to it over the one before.
    let publish = |number: u32, route: &str| {
        let data = format!("..data-{number}");
        fs::create_dir(mount.join(&data)).expect("a directory for the data");
        let config = in_order(&[&model], "").replace("[routes.main]", &format!("[routes.{route}]"));
        fs::write(mount.join(&data).join("pointsman.toml"), config).expect("the config can be written");
        symlink(&data, mount.join("..incoming")).expect("a link");
        fs::rename(mount.join("..incoming"), mount.join("..data")).expect("the link can be renamed");
    };
    publish(1, "first");
    symlink("..data/pointsman.toml", mount.join("pointsman.toml")).expect("a link");
    let gateway = Gateway::start_in(mount.clone()).await;
    assert_eq!(ask(&gateway, &chat("first", "hi")).await.status, 200);

    publish(2, "second");
    fs::remove_dir_all(mount.join("..data-1")).expect("the old data can be removed");
    gateway.logged(r#""message":"reloaded","cause":"file""#).await;
    assert_eq!(ask(&gateway, &chat("second", "hi")).await.status, 200);
    assert_eq!(ask(&gateway, &chat("first", "hi")).await.status, 404);
}
