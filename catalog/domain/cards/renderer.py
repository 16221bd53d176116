"""The program that renders Markdown: `python -I renderer.py`. Text on standard input becomes HTML on standard output.

It is a process of its own, with limits, because Markdown can be written so that rendering it takes minutes. The HTML is
reduced to an allow-list: no scripts, no styles, no forms, no event handlers.
"""

import resource
import sys

import nh3
from markdown_it import MarkdownIt

SECONDS = 5
MEMORY = 2**29

LIMITS = {
    resource.RLIMIT_AS: MEMORY,
    resource.RLIMIT_CPU: SECONDS,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NPROC: 0,
}

SCHEMES = {"http", "https", "mailto"}


def rendered(text: str) -> str:
    """Sanitised HTML."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return nh3.clean(markdown.render(text), url_schemes=SCHEMES, link_rel="noopener noreferrer nofollow")


def main() -> None:
    for limit, most in LIMITS.items():
        resource.setrlimit(limit, (most, most))
    sys.stdout.buffer.write(rendered(sys.stdin.buffer.read().decode()).encode())


if __name__ == "__main__":
    main()
