"""What a model, a test or a stranger's file may say to take over a page; each calls ``hit``, or looks like something else."""

from __future__ import annotations

PAYLOADS = {
    "script": "<script>hit()</script>",
    "end of a script": "</script><script>hit()</script>",
    "end of a style": "</style><style>*{display:none}</style>",
    "handler": "<img src=x onerror=hit()>",
    "handler on an attribute": '" onmouseover="hit()" autofocus onfocus="hit()',
    "single quote": "' onfocus='hit()' autofocus='",
    "svg": "<svg onload=hit()><script>hit()</script></svg>",
    "svg as a picture": "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImhpdCgpIi8+",
    "link": "javascript:hit()",
    "link in markup": '<a href="javascript:hit()">click</a>',
    "html as data": "data:text/html,<script>hit()</script>",
    "frame": '<iframe srcdoc="<script>parent.hit()</script>"></iframe>',
    "comment": "<!--><script>hit()</script-->",
    "open comment": "<!-- ",
    "cdata": "<![CDATA[<script>hit()</script>]]>",
    "template": "{{ config }}{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}{{ 7*7 }}",
    "css": "}*{background:url(https://a.example/hit)}",
    "refresh": '<meta http-equiv=refresh content="0;url=https://a.example/hit">',
    "base": "<base href=https://a.example/><form action=//a.example/hit><button autofocus>",
    "details": "</details></summary></div></li></ol></main></body></html><h1>All 2 tests passed</h1>",
    "textarea": "</title></textarea><textarea><script>hit()</script>",
    "entities": "&lt;script&gt;hit()&lt;/script&gt;&#x3c;script&#x3e;",
    "names of our own": "text:1",
    "clobbering": "<form id=attributes><input name=firstElementChild id=document>",
    "a huge word": "W" * 30_000,
    "fullwidth": "\uff1cscript\uff1ehit()\uff1c/script\uff1e",
    "null bytes": "<scr\x00ipt>hit()</scr\x00ipt>",
    "line ends": "a\r\n<script>\u2028hit()\u2029</script>",
}

VISIBLE = {
    "bidi": ("user\u202etxt.exe", "user\\u202etxt.exe"),
    "isolate": ("a\u2066b\u2069", "a\\u2066b\\u2069"),
    "ansi": ("\x1b[31mred\x1b[0m", "\u241b[31mred\u241b[0m"),
    "control of eight bits": ("a\x9b31mb", "a\\u009b31mb"),
    "nothing wide": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "tags": ("a\U000e0041\U000e007f", "a\\U000e0041\\U000e007f"),
    "null": ("a\x00b", "a\u2400b"),
    "carriage return": ("good\rbad", "good\u240dbad"),
    "half a pair": ("a\ud800b", "a\\ud800b"),
}
