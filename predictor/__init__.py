"""Features in, ensemble predictions out."""

import os

#: ONNX Runtime would make a device id in the home folder when it is imported, and tell its maker what it does.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
