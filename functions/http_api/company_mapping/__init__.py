"""Which company at Autotask a customer is: chosen on a page of its own, or for many at once by their names."""

from fastapi import APIRouter

from functions.http_api.company_mapping import many, one

router = APIRouter(include_in_schema=False)
for part in (many, one):
    router.include_router(part.router)
