//! Core errors as the exceptions of `xifen.errors`.

use pyo3::{exceptions::PyKeyboardInterrupt, prelude::*, sync::PyOnceLock, types::PyType};
use xifen_core::Error;

/// The Python exception for a core error.
pub(crate) fn to_python(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Input(message) => raise(py, "InputError", (message,)),
        Error::Parameter(message) => raise(py, "ParameterError", (message,)),
        Error::Rule { message, position } => raise(py, "RuleError", (message, position)),
        Error::Cancelled => PyKeyboardInterrupt::new_err(()),
    }
}

/// A defect of ours that must still end as an ordinary exception.
pub(crate) fn internal(py: Python<'_>, what: &str) -> PyErr {
    let message = format!("xifen met a defect of its own: {what}. Please report it with the call that led here.");
    raise(py, "XifenError", (message,))
}

fn raise<'py>(py: Python<'py>, class: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> PyErr {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let built = ERRORS.get_or_try_init(py, || py.import("xifen.errors").map(Bound::unbind)).and_then(|module| {
        module.bind(py).getattr(class)?.cast_into::<PyType>().map_err(PyErr::from)?.call1(arguments)
    });
    match built {
        Ok(exception) => PyErr::from_value(exception),
        Err(failure) => failure,
    }
}
