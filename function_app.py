"""What the platform indexes: this file, and all functions in it.

One import error here removes every function, and each import costs a cold start; so nothing heavy is imported before
a function needs it.
"""

import azure.functions as func

from functions.autotask_sync.blueprint import bp as autotask_sync
from functions.http_api.blueprint import bp as http_api
from functions.mail_import.blueprint import blueprints as mail_import
from functions.missed_runs.blueprint import bp as missed_runs

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)  # pages and API sign in by themselves
for blueprint in (http_api, *mail_import, missed_runs, autotask_sync):
    app.register_functions(blueprint)
