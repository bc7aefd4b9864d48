//! Writes the Kotlin, Swift and Python files from the built library; docs in README.md of this folder.

fn main() {
    uniffi::uniffi_bindgen_main()
}
