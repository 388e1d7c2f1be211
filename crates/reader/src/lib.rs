//! Query to answer, over rings and files; the published JSON and its renderings.
