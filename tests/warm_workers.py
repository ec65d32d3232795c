"""Imported by the process that workers are forked from: what each does before its first document is done already.

A command of the program makes its documents in new workers; in tests that is one document a command, and getting
ready for it costs more than the document. The caches that this fills are the worker's own.
"""

from __future__ import annotations

import gc

from invoicing.documents.pdf import get_ready

get_ready()
# A worker does not look again at what is there when it begins, as in `invoicing/documents/worker.py`.
gc.freeze()
