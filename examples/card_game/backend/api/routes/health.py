"""Whether the backend is up."""

from fastapi import APIRouter

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """Answers as soon as requests are served."""
    return {"status": "ok"}
