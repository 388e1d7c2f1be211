//! Reading a usual record without taking ownership of what it holds: counting references to its twenty
//! attributes up and down is a sixth of the time that is otherwise spent on a record.
//!
//! # Safety argument
//!
//! `PyDict_Next` lends keys and values, which the dict keeps alive until it is changed. Nothing changes it
//! here: this build needs the interpreter's lock (it is an abi3 build; others do not compile this), the
//! thread holds it, and until [`Plain`] is done with nothing runs that could give it away or run Python
//! code. What is done with a lent object is comparing its address and, after an check of its type,
//! reading a string's UTF-8, an int or a float; these allocate no object that the garbage collector
//! tracks. Where one of them fails it raises, which may; then nothing lent is touched again and the
//! record is read the other way. What may run Python code later (message, arguments, exception, extras)
//! is owned.

#![expect(unsafe_code, reason = "objects lent by a dict; see the safety argument")]

use pyo3::{
    Borrowed, ffi,
    prelude::*,
    types::{PyDict, PyFloat, PyInt},
};

use super::capture::{Field, names, position};

/// A record of the usual kind. The texts are lent: use them before any Python code runs.
#[derive(Default)]
pub(crate) struct Plain<'d, 'py> {
    pub(crate) logger: Option<&'d str>,
    pub(crate) module: Option<&'d str>,
    pub(crate) function: Option<&'d str>,
    pub(crate) file: Option<&'d str>,
    pub(crate) thread_name: Option<&'d str>,
    pub(crate) process_name: Option<&'d str>,
    pub(crate) task_name: Option<&'d str>,
    pub(crate) level_name: Option<&'d str>,
    pub(crate) level: Option<i64>,
    pub(crate) line: Option<i64>,
    pub(crate) process: Option<i64>,
    pub(crate) thread: Option<u64>,
    pub(crate) created: Option<f64>,
    pub(crate) msg: Option<Bound<'py, PyAny>>,
    pub(crate) args: Option<Bound<'py, PyAny>>,
    pub(crate) exc_info: Option<Bound<'py, PyAny>>,
    pub(crate) extra: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
}

impl<'d, 'py> Plain<'d, 'py> {
    /// Reads a record's `__dict__`; `None` when there is anything unusual about it.
    pub(crate) fn of(dict: &'d Bound<'py, PyDict>) -> Option<Self> {
        let py = dict.py();
        let mut plain = Self::default();
        let (mut at, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        let names = names(py);
        let mut expected = 0;
        // SAFETY: the dict is alive and nothing changes it (see the module).
        while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut value) }
            != 0
        {
            // SAFETY: PyDict_Next has set both to objects that the dict owns.
            let (key, value): (Borrowed<'d, 'py, PyAny>, Borrowed<'d, 'py, PyAny>) =
                unsafe { (Borrowed::from_ptr(py, key), Borrowed::from_ptr(py, value)) };
            match position(names, key, expected) {
                Some(index) => {
                    expected = index + 1;
                    plain.take(index, value)?;
                }
                None => plain.extra.push((key.to_owned(), value.to_owned())),
            }
        }
        Some(plain)
    }

    /// `None` when the value is not what it is as a rule.
    #[inline]
    fn take(&mut self, index: usize, value: Borrowed<'d, 'py, PyAny>) -> Option<()> {
        const NAME: usize = Field::Name as usize;
        const MSG: usize = Field::Msg as usize;
        const ARGS: usize = Field::Args as usize;
        const LEVEL_NAME: usize = Field::LevelName as usize;
        const LEVEL_NO: usize = Field::LevelNo as usize;
        const PATH_NAME: usize = Field::PathName as usize;
        const MODULE: usize = Field::Module as usize;
        const EXC_INFO: usize = Field::ExcInfo as usize;
        const LINE_NO: usize = Field::LineNo as usize;
        const FUNC_NAME: usize = Field::FuncName as usize;
        const CREATED: usize = Field::Created as usize;
        const THREAD: usize = Field::Thread as usize;
        const THREAD_NAME: usize = Field::ThreadName as usize;
        const PROCESS_NAME: usize = Field::ProcessName as usize;
        const PROCESS: usize = Field::Process as usize;
        const TASK_NAME: usize = Field::TaskName as usize;
        const EXC_TEXT: usize = Field::ExcText as usize;
        const STACK_INFO: usize = Field::StackInfo as usize;
        const OTEL_FIRST: usize = Field::OtelTrace as usize;
        match index {
            NAME => self.logger = text(value)?,
            MSG => self.msg = owned(value),
            ARGS => self.args = owned(value),
            LEVEL_NAME => self.level_name = text(value)?,
            LEVEL_NO => self.level = int(value)?,
            PATH_NAME => self.file = text(value)?,
            MODULE => self.module = text(value)?,
            EXC_INFO => self.exc_info = owned(value),
            LINE_NO => self.line = int(value)?,
            FUNC_NAME => self.function = text(value)?,
            CREATED => self.created = Some(value.cast_exact::<PyFloat>().ok()?.value()),
            THREAD => self.thread = int(value)?,
            THREAD_NAME => self.thread_name = text(value)?,
            PROCESS_NAME => self.process_name = text(value)?,
            PROCESS => self.process = int(value)?,
            TASK_NAME => self.task_name = text(value)?,
            EXC_TEXT | STACK_INFO | OTEL_FIRST.. if !value.is_none() => return None,
            _ => {}
        }
        Some(())
    }
}

fn owned<'py>(value: Borrowed<'_, 'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    (!value.is_none()).then(|| value.to_owned())
}

#[inline]
#[expect(clippy::option_option, reason = "unusual, or absent, or there")]
fn text<'d>(value: Borrowed<'d, '_, PyAny>) -> Option<Option<&'d str>> {
    if value.is_none() {
        return Some(None);
    }
    let text: &'d str = FromPyObject::extract(value).ok()?;
    Some((!text.is_empty()).then_some(text))
}

#[inline]
#[expect(clippy::option_option, reason = "unusual, or absent, or there")]
fn int<'d, 'py, T: FromPyObject<'d, 'py>>(value: Borrowed<'d, 'py, PyAny>) -> Option<Option<T>> {
    if value.is_none() {
        return Some(None);
    }
    if value.cast_exact::<PyInt>().is_err() {
        return None;
    }
    T::extract(value).ok().map(Some)
}
