use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;

use notify::EventKind;
use notify::event::{AccessKind, AccessMode};
use tempfile::TempDir;

use super::worker::is_change;
use super::*;

const LONG: Duration = Duration::from_secs(3600);

/// Signals soon after an event, and never polls.
const EVENTS: WatchConfig = WatchConfig {
    quiet: Duration::from_millis(20),
    patience: LONG,
    write_time: LONG,
    poll: LONG,
    events: true,
};
/// Polls only.
const POLL: WatchConfig = WatchConfig { poll: Duration::from_millis(5), events: false, ..EVENTS };

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn watch(paths: &[&Path], config: WatchConfig) -> (FileWatcher, ChangeReceiver) {
    let paths = paths.iter().map(|path| path.to_path_buf()).collect();
    FileWatcher::start(paths, config, |mut work| {
        thread::spawn(move || while work().is_continue() {});
        Ok(())
    })
    .unwrap()
}

/// Waits until the file has this content, reading it only after a signal.
async fn until_content(changes: &mut ChangeReceiver, path: &Path, expected: &str) {
    loop {
        changes.changed().await.unwrap();
        if fs::read_to_string(path).is_ok_and(|content| content == expected) {
            return;
        }
    }
}

fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, path).unwrap();
}

#[tokio::test]
async fn every_atomic_rename_is_signalled() {
    let directory = directory();
    let file = directory.path().join("policy.wasm");
    fs::write(&file, "0").unwrap();
    let (_watcher, mut changes) = watch(&[&file], EVENTS);
    for version in ["1", "2", "3", "4"] {
        replace(&file, version);
        until_content(&mut changes, &file, version).await;
    }
}

#[tokio::test]
async fn a_file_written_in_steps_is_signalled_when_it_is_complete() {
    let directory = directory();
    let file = directory.path().join("policy.wasm");
    fs::write(&file, "old").unwrap();
    let (_watcher, mut changes) = watch(&[&file], EVENTS);
    let mut writer = File::create(&file).unwrap();
    for piece in ["in ", "three ", "pieces"] {
        writer.write_all(piece.as_bytes()).unwrap();
        writer.sync_all().unwrap();
    }
    drop(writer);
    until_content(&mut changes, &file, "in three pieces").await;
}

#[tokio::test]
async fn a_file_changed_in_place_is_signalled_when_its_writer_closes_it() {
    let (here, there) = (directory(), directory());
    let target = there.path().join("policy.wasm");
    fs::write(&target, "old and long").unwrap();
    let link = here.path().join("policy.wasm");
    symlink(&target, &link).unwrap();
    for file in [&target, &link] {
        let (watcher, mut changes) = watch(&[file], EVENTS);
        let mut activity = watcher.activity();
        assert_eq!(activity.file(), None);
        let mut writer = File::create(file).unwrap();
        writer.write_all(b"half").unwrap();
        let writing = activity.0.wait_for(Option::is_some).await.unwrap().clone();
        assert_eq!(writing.as_deref(), Some(target.as_path()));
        // The quiet time has passed once a later change of another file is signalled.
        let other = here.path().join("other");
        let (_other_watcher, mut other_changes) = watch(&[&other], EVENTS);
        fs::write(&other, "1").unwrap();
        until_content(&mut other_changes, &other, "1").await;
        assert_eq!(changes.signal.try_recv().ok(), None, "half a file is not signalled");
        writer.write_all(b" and half").unwrap();
        drop(writer);
        changes.changed().await.unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "half and half");
        activity.idle().await;
        fs::remove_file(&other).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_stays_open_is_signalled_after_a_bounded_time() {
    let directory = directory();
    let file = directory.path().join("policy.wasm");
    fs::write(&file, "1").unwrap();
    let config = WatchConfig { write_time: Duration::from_millis(30), ..EVENTS };
    let (_watcher, mut changes) = watch(&[&file], config);
    let mut writer = File::create(&file).unwrap();
    writer.write_all(b"2").unwrap();
    until_content(&mut changes, &file, "2").await;
}

#[tokio::test]
async fn every_config_map_update_is_signalled() {
    let mount = directory();
    let version = |name: &str, content: &str| {
        let directory = mount.path().join(name);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("policy.wasm"), content).unwrap();
    };
    let point_to = |name: &str| {
        let link = mount.path().join("..data_tmp");
        symlink(name, &link).unwrap();
        fs::rename(link, mount.path().join("..data")).unwrap();
    };
    version("..2026_1", "1");
    point_to("..2026_1");
    let file = mount.path().join("policy.wasm");
    symlink("..data/policy.wasm", &file).unwrap();

    let (_watcher, mut changes) = watch(&[&file], EVENTS);
    for (name, content) in [("..2026_2", "2"), ("..2026_3", "3")] {
        version(name, content);
        point_to(name);
        until_content(&mut changes, &file, content).await;
    }
}

#[tokio::test]
async fn a_replaced_link_above_the_file_is_signalled() {
    let root = directory();
    for version in ["1", "2"] {
        fs::create_dir(root.path().join(version)).unwrap();
        fs::write(root.path().join(version).join("policy.wasm"), version).unwrap();
    }
    let current = root.path().join("current");
    symlink("1", &current).unwrap();
    let file = current.join("policy.wasm");
    let (_watcher, mut changes) = watch(&[&file], EVENTS);

    symlink("2", root.path().join("next")).unwrap();
    fs::rename(root.path().join("next"), &current).unwrap();
    until_content(&mut changes, &file, "2").await;
    fs::write(&file, "2b").unwrap();
    until_content(&mut changes, &file, "2b").await;
}

#[tokio::test]
async fn a_file_in_another_directory_behind_a_link_is_signalled() {
    let (here, there) = (directory(), directory());
    let target = there.path().join("built.wasm");
    fs::write(&target, "1").unwrap();
    let link = here.path().join("policy.wasm");
    symlink(&target, &link).unwrap();
    let (_watcher, mut changes) = watch(&[&link], EVENTS);
    replace(&target, "2");
    until_content(&mut changes, &link, "2").await;
}

#[tokio::test]
async fn a_file_deleted_and_created_again_is_signalled() {
    let directory = directory();
    let file = directory.path().join("policy.wasm");
    fs::write(&file, "1").unwrap();
    let (_watcher, mut changes) = watch(&[&file], EVENTS);
    fs::remove_file(&file).unwrap();
    changes.changed().await.unwrap();
    fs::write(&file, "2").unwrap();
    until_content(&mut changes, &file, "2").await;
}

#[tokio::test]
async fn added_and_removed_files_of_a_watched_directory_are_signalled() {
    let directory = directory();
    let (_watcher, mut changes) = watch(&[directory.path()], EVENTS);
    let file = directory.path().join("new.wasm");
    replace(&file, "1");
    until_content(&mut changes, &file, "1").await;
    fs::remove_file(&file).unwrap();
    changes.changed().await.unwrap();
    let link = directory.path().join("link");
    let other = self::directory();
    symlink(other.path(), &link).unwrap();
    let (_watcher, mut changes) = watch(&[&link], EVENTS);
    let file = other.path().join("new.wasm");
    replace(&file, "2");
    until_content(&mut changes, &file, "2").await;
}

#[tokio::test]
async fn a_directory_that_is_created_later_is_signalled() {
    let root = directory();
    let parent = root.path().join("not/yet/there");
    let file = parent.join("policy.wasm");
    let (_watcher, mut changes) = watch(&[&file], EVENTS);
    fs::create_dir_all(&parent).unwrap();
    fs::write(&file, "1").unwrap();
    until_content(&mut changes, &file, "1").await;
    fs::remove_dir_all(root.path().join("not")).unwrap();
    changes.changed().await.unwrap();
    fs::create_dir_all(&parent).unwrap();
    fs::write(&file, "2").unwrap();
    until_content(&mut changes, &file, "2").await;
}

#[tokio::test]
async fn events_of_other_files_in_the_directory_are_not_signalled() {
    let directory = directory();
    let (file, log) = (directory.path().join("policy.wasm"), directory.path().join("log"));
    fs::write(&file, "0").unwrap();
    let (_watcher, mut changes) = watch(&[&file], EVENTS);
    let (_other, mut log_changes) = watch(&[&log], EVENTS);
    for line in ["1", "2", "3"] {
        fs::write(&log, line).unwrap();
        // When this change is signalled, the events have settled for the other watcher too.
        until_content(&mut log_changes, &log, line).await;
    }
    tokio::select! {
        biased;
        _ = changes.changed() => panic!("the log is not watched"),
        () = std::future::ready(()) => {}
    }
    replace(&file, "1");
    until_content(&mut changes, &file, "1").await;
}

#[tokio::test]
async fn without_events_polling_finds_changes() {
    let directory = directory();
    let file = directory.path().join("policy.wasm");
    fs::write(&file, "1").unwrap();
    let (_watcher, mut changes) = watch(&[&file], POLL);
    replace(&file, "22");
    until_content(&mut changes, &file, "22").await;
    fs::remove_file(&file).unwrap();
    changes.changed().await.unwrap();
}

#[tokio::test]
async fn new_paths_are_watched_instead() {
    let (one, two) = (directory(), directory());
    let file = two.path().join("policy.wasm");
    let (watcher, mut changes) = watch(&[&one.path().join("other.wasm")], EVENTS);
    watcher.set_paths(vec![file.clone()]);
    fs::write(&file, "1").unwrap();
    until_content(&mut changes, &file, "1").await;
}

#[tokio::test]
async fn the_same_files_again_are_no_change() {
    let file = directory().path().join("policy.wasm");
    let at_once = WatchConfig { quiet: Duration::ZERO, poll: LONG, ..POLL };
    let (watcher, mut changes) = watch(&[&file], at_once);
    watcher.set_paths(vec![file]);
    drop(watcher);
    assert_eq!(changes.changed().await, None, "the watcher ended without a signal");
}

#[tokio::test]
async fn a_change_is_signalled_although_events_continue() {
    let directory = directory();
    let file = directory.path().join("policy.wasm");
    fs::write(&file, "1").unwrap();
    let config = WatchConfig { quiet: LONG, patience: Duration::from_millis(20), ..EVENTS };
    let (_watcher, mut changes) = watch(&[&file], config);
    replace(&file, "2");
    until_content(&mut changes, &file, "2").await;
}

#[test]
fn reading_a_file_is_no_change() {
    let closed = |mode| EventKind::Access(AccessKind::Close(mode));
    assert!(!is_change(&EventKind::Access(AccessKind::Open(AccessMode::Any))));
    assert!(!is_change(&closed(AccessMode::Read)));
    assert!(is_change(&closed(AccessMode::Write)));
    assert!(is_change(&EventKind::Any));
}

#[tokio::test]
async fn the_changes_end_with_the_watcher() {
    let directory = directory();
    let (watcher, mut changes) = watch(&[directory.path()], EVENTS);
    drop(watcher);
    assert_eq!(changes.changed().await, None);
}
