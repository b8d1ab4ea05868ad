"""Rules become segments: the language, the compiler, the rebuild."""
