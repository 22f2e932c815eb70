"""Write the protocol's vectors anew: `python -m tests.protocol`, after a format was changed on purpose."""

import json

from tests.protocol.book import FOLDER, MADE, SEALED

for name, make in MADE.items():
    (FOLDER / f"{name}.json").write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", "utf-8")
for name, (make, _) in SEALED.items():
    (FOLDER / f"{name}.json").write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", "utf-8")
