"""Makes the ONNX models that come with parsenode."""
