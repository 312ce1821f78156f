"""All pages and the API as one function. The web app is loaded by the first request, not by indexing."""

from functools import cache

import azure.functions as func

# The platform answers 404 to a method that isn't listed.
METHODS = [
    func.HttpMethod.GET,
    func.HttpMethod.HEAD,
    func.HttpMethod.POST,
    func.HttpMethod.PUT,
    func.HttpMethod.PATCH,
    func.HttpMethod.DELETE,
    func.HttpMethod.OPTIONS,
]

bp = func.Blueprint()


@bp.function_name("web")
@bp.route(route="{*path}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    response: func.HttpResponse = await _web_app().handle_async(req, context)
    return response


@cache
def _web_app() -> func.AsgiMiddleware:
    from functions.http_api.app import app
    from functions.http_api.healing import LookAfterTimers

    return func.AsgiMiddleware(LookAfterTimers(app))
