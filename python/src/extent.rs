//! The attributes of a record, without its `__dict__` and without a look-up for each: making the one, and
//! freeing it with the record, costs a sixth of all that is done for a record, and fifteen of the other as
//! much. A class tells the garbage collector which objects an object holds, and anyone who asks
//! (`gc.get_referents`); of an object that has no `__dict__` made it tells the attributes, always in the same
//! order. What that is, is learned from a record whose attributes are known.
//!
//! One that lost an attribute and was given another holds as many objects, and those after the lost one have
//! moved up. So whoever asks brings the last attribute, looked up by its name: it must be found last. Where what
//! was given is the same object (`None`, say) the types before it differ from a record's: that is for `usual` to
//! see, which takes each attribute by its type.
//!
//! # Safety argument
//!
//! `tp_traverse` is called as `gc.get_referents` calls it: with an object of exactly the class it is the
//! function of, alive and not changing, since the thread has the interpreter's lock and no code of Python's
//! runs. A free-threaded interpreter, where another thread may change it meanwhile, does not come here.
//! The visitor touches no object, cannot panic, and its argument is an array that outlives the call.
//!
//! What it found is borrowed from the object, which holds each as long as it does not change. It is lent to a
//! function that must run no code of Python's, directly or by dropping what might: it reads texts, numbers and
//! tuples of exactly those types. A text that is no UTF-8 raises, which may collect garbage, and that run
//! anything: then it must return without another look.

#![expect(unsafe_code, reason = "tp_traverse; see the safety argument")]

use std::{
    ffi::{c_int, c_void},
    ptr,
};

use pyo3::{
    Borrowed, ffi,
    prelude::*,
    types::{PyList, PyType},
};

/// Most objects that a record holds. CPython 3.14's holds 23.
const HELD_MAX: usize = 32;

/// Where a class tells the attributes of its objects.
pub(crate) struct Extent<const N: usize> {
    traverse: ffi::traverseproc,
    /// Of each attribute in the order asked for; `None` for one that the class does not give its objects.
    places: [Option<u8>; N],
    last: u8,
    /// How many objects one holds.
    held: usize,
}

/// What an object holds, in the order in which it is told.
struct Held {
    objects: [*mut ffi::PyObject; HELD_MAX],
    count: usize,
}

/// The attributes of an object.
pub(crate) struct Attributes<'a, 'py, const N: usize> {
    object: &'a Bound<'py, PyAny>,
    places: &'a [Option<u8>; N],
    held: &'a Held,
}

impl<const N: usize> Extent<N> {
    /// Learns it from an object of this very class, whose attributes it replaces: `names`, and however many
    /// others. `None` where objects do not tell their attributes so, or `last` is not the last of `names`.
    pub(crate) fn learn(
        sample: &Bound<'_, PyAny>,
        names: [&str; N],
        last: &str,
    ) -> PyResult<Option<Self>> {
        if cfg!(Py_GIL_DISABLED) {
            return Ok(None);
        }
        let Some(traverse) = traverse_of(&sample.get_type()) else { return Ok(None) };
        let mut places = [None; N];
        for (place, name) in places.iter_mut().zip(names) {
            if !sample.hasattr(name)? {
                continue;
            }
            let marker = PyList::empty(sample.py());
            sample.setattr(name, &marker)?;
            *place = Held::of(sample, traverse).and_then(|held| held.place_of(&marker));
            if place.is_none() {
                return Ok(None);
            }
        }
        let Some(held) = Held::of(sample, traverse) else { return Ok(None) };
        let place_of = |name: &str| places[names.iter().position(|known| *known == name)?];
        let last = place_of(last).filter(|last| places.iter().flatten().max() == Some(last));
        Ok(last.map(|last| Self { traverse, places, last, held: held.count }))
    }

    /// Calls `f` with the attributes of an object of exactly the class that was learned; `None` when it has
    /// others than the class gives it, or `f` says so. `f` must run no code of Python's.
    #[inline]
    pub(crate) fn with<'py, R>(
        &self,
        object: &Bound<'py, PyAny>,
        last: &Bound<'py, PyAny>,
        f: impl FnOnce(Attributes<'_, 'py, N>) -> Option<R>,
    ) -> Option<R> {
        // Not given back by a function: that copies it.
        let mut held = Held::NOTHING;
        if !held.fill(object, self.traverse) {
            return None;
        }
        let is_last = ptr::eq(held.objects[usize::from(self.last)], last.as_ptr());
        if held.count != self.held || !is_last {
            return None;
        }
        f(Attributes { object, places: &self.places, held: &held })
    }
}

impl<'a, 'py, const N: usize> Attributes<'a, 'py, N> {
    /// The attribute of this place in what was asked for; `None` for one that the class does not give.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        let object = self.held.objects[usize::from(self.places[index]?)];
        // SAFETY: see the module. Places are below the count of what is held.
        Some(unsafe { Borrowed::from_ptr(self.object.py(), object) })
    }
}

impl Held {
    const NOTHING: Self = Self { objects: [ptr::null_mut(); HELD_MAX], count: 0 };

    fn of(object: &Bound<'_, PyAny>, traverse: ffi::traverseproc) -> Option<Self> {
        let mut held = Self::NOTHING;
        held.fill(object, traverse).then_some(held)
    }

    /// False when that is too much.
    #[inline]
    fn fill(&mut self, object: &Bound<'_, PyAny>, traverse: ffi::traverseproc) -> bool {
        // SAFETY: see the module; `self` is what `visit` takes it for.
        unsafe { traverse(object.as_ptr(), visit, ptr::from_mut(self).cast()) == 0 }
    }

    fn place_of(&self, object: &Bound<'_, PyList>) -> Option<u8> {
        let held = &self.objects[..self.count];
        let place = held.iter().position(|held| ptr::eq(*held, object.as_ptr()))?;
        u8::try_from(place).ok()
    }
}

fn traverse_of(class: &Bound<'_, PyType>) -> Option<ffi::traverseproc> {
    // SAFETY: the class is alive. A slot that is there is a function of the slot's type.
    unsafe {
        let slot = ffi::PyType_GetSlot(class.as_type_ptr(), ffi::Py_tp_traverse);
        std::mem::transmute::<*mut c_void, Option<ffi::traverseproc>>(slot)
    }
}

/// Ends the visit at what is too much.
extern "C" fn visit(object: *mut ffi::PyObject, held: *mut c_void) -> c_int {
    // SAFETY: `Held::fill` gives one of its own.
    let held = unsafe { &mut *held.cast::<Held>() };
    let Some(place) = held.objects.get_mut(held.count) else { return 1 };
    *place = object;
    held.count += 1;
    0
}
