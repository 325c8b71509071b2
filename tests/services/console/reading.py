"""Reads a page as a browser does: its elements, its links, its visible text."""

from html.parser import HTMLParser

from services.console.mathematics import ATTRIBUTES, ELEMENTS

TEXT = {
    *("p", "br", "hr", "em", "strong", "code", "pre", "span", "blockquote", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"),
    *ELEMENTS,
}
PAGE = TEXT | {
    *("html", "head", "meta", "title", "link", "body", "a", "header", "footer", "nav", "main", "section", "article"),
    *("aside", "div", "h1", "h2", "dl", "dt", "dd", "details", "summary", "form", "label", "input", "select", "option"),
    *("button", "svg", "rect"),
}
"""Elements of the pages; none of them can run or load anything but a style sheet."""
PAGE_ATTRIBUTES = ATTRIBUTES | {
    *("href", "rel", "class", "id", "lang", "charset", "name", "content", "action", "method", "type", "value"),
    *("maxlength", "placeholder", "selected", "min", "max", "step", "scope", "colspan", "tabindex", "role", "title"),
    *("aria-label", "aria-current", "aria-hidden", "open", "start", "x", "y", "viewbox", "preserveaspectratio"),
    "http-equiv",
}


class Read(HTMLParser):
    """A page taken apart."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        """What the page asks for by itself."""
        self.text = ""
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        if tag == "a" and (href := given.get("href")):
            self.links.append(href)
        if tag == "link":
            self.loaded.append(given.get("href") or "")
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.loaded.append(given.get("content") or "")

    def handle_data(self, data: str) -> None:
        self.text += data
