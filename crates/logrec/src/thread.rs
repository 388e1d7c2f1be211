//! The running thread's number and name, looked up once a thread.

use std::cell::OnceCell;

use logrec_core::record::{Prepared, RecordWriter};

thread_local! {
    static THREAD: OnceCell<Prepared> = const { OnceCell::new() };
}

/// Writes `thread` and `thread_name`. Nothing while the thread's locals are being taken down.
#[inline]
pub(crate) fn write(writer: &mut RecordWriter<'_>) {
    let _ = THREAD.try_with(|thread| {
        writer.prepared(thread.get_or_init(|| {
            let thread = std::thread::current();
            Prepared::new(|writer| {
                writer.thread(id(&thread));
                if let Some(name) = thread.name() {
                    writer.thread_name(name);
                }
            })
        }));
    });
}

#[cold]
fn id(current: &std::thread::Thread) -> u64 {
    os_id().or_else(|| digits(&format!("{:?}", current.id()))).unwrap_or(0)
}

/// What `ps -L` and debuggers call the thread: on Linux from `/proc/thread-self`, which leads to
/// `PID/task/TID`. Elsewhere, or without `/proc`, the standard library's own number stands in.
fn os_id() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

fn digits(text: &str) -> Option<u64> {
    let digits = text.trim_matches(|c: char| !c.is_ascii_digit());
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_numbers_of_their_own() {
        let ids = std::thread::scope(|scope| {
            [(); 2].map(|()| scope.spawn(|| id(&std::thread::current()))).map(|t| t.join().unwrap())
        });
        assert!(ids[0] != ids[1] && ids[0] > 0, "{ids:?}");
        assert_eq!(digits("ThreadId(17)"), Some(17));
        assert_eq!(digits("ThreadId"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_number_is_the_systems() {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names: Vec<_> = tasks.map(|task| task.unwrap().file_name()).collect();
        let id = id(&std::thread::current()).to_string();
        assert!(names.iter().any(|name| *name == *id), "{id} in {names:?}");
    }
}
