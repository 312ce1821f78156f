"""Run the fake by itself, so that the app can be tried with it: `python -m tests.fake_autotask --port 8301`.

Then, in another terminal, start the app with the settings that it prints. What happens in the tenant is done with
requests to `/_test/…`: see `control.py`.
"""

import argparse
import contextlib
import threading

from tests.fake_autotask.server import FakeAutotask
from tests.fake_autotask.world import CODE, SECRET, USER

COMPANIES = ("Aspen Dental", "Birch Logistics", "Cedar Notaries", "Dogwood Farms", "Elm Street School")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8301)
    parser.add_argument("--company", action="append", help="a company's name; may be given several times")
    options = parser.parse_args()
    with FakeAutotask(port=options.port) as fake:
        for name in options.company or COMPANIES:
            fake.add_company(name)
        print(
            f"AUTOTASK_BASE_URL={fake.url} AUTOTASK_USERNAME={USER} AUTOTASK_SECRET={SECRET} "
            f"AUTOTASK_INTEGRATION_CODE={CODE}",
            flush=True,
        )
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
