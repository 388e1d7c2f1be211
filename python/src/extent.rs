//! How many attributes a record has, without its `__dict__`: making that, and freeing it with the record,
//! costs a sixth of all that is done for a record. A class tells the garbage collector which objects an
//! object holds, and anyone who asks (`gc.get_referents`); here they are counted.
//!
//! # Safety argument
//!
//! `tp_traverse` is called as `gc.get_referents` calls it: with an object of exactly the class it is the
//! function of, alive and not changing, since the thread has the interpreter's lock and no code of Python's
//! runs. A free-threaded interpreter, where another thread may change it meanwhile, does not come here.
//! The visitor touches no object, cannot panic, and its argument is a count that outlives the call.

#![expect(unsafe_code, reason = "tp_traverse; see the safety argument")]

use std::ffi::{c_int, c_void};

use pyo3::{ffi, prelude::*, types::PyType};

/// What a class tells of its objects.
pub(crate) struct Extent {
    traverse: Option<ffi::traverseproc>,
}

impl Extent {
    pub(crate) fn of(class: &Bound<'_, PyType>) -> Self {
        // SAFETY: the class is alive. A slot that is there is a function of the slot's type.
        let traverse = unsafe {
            let slot = ffi::PyType_GetSlot(class.as_type_ptr(), ffi::Py_tp_traverse);
            std::mem::transmute::<*mut c_void, Option<ffi::traverseproc>>(slot)
        };
        Self { traverse }
    }

    /// How many objects an object of exactly this class holds.
    pub(crate) fn count(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        let traverse = self.traverse?;
        let mut count = 0_usize;
        // SAFETY: see the module; `count` is what `visit` takes it for.
        let status = unsafe { traverse(object.as_ptr(), visit, (&raw mut count).cast()) };
        (status == 0).then_some(count)
    }
}

extern "C" fn visit(_: *mut ffi::PyObject, count: *mut c_void) -> c_int {
    // SAFETY: `Extent::count` gives a count of its own.
    unsafe { *count.cast::<usize>() += 1 };
    0
}
