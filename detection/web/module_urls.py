"""The addresses of one module: the same pages for each, under the names of the old system."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from detection.web import old_names, upload_pages
from detection.web.module_pages import ModulePage


def module_urls(page: ModulePage) -> list[URLPattern]:
    name, key = page.spec.name, page.key
    module = {"key": key}
    return [
        path(f"{name}_Upload_1/", upload_pages.upload_page, module, name=f"{key}-upload"),
        re_path(rf"^{name}_detect/?$", upload_pages.start, module, name=f"{key}-start"),
        re_path(rf"^{name}_Update/?$", old_names.update, module, name=f"{key}-update"),
        re_path(rf"^{name}_batch_Update/?$", old_names.batch_update, module, name=f"{key}-batch-update"),
        re_path(rf"^{name}_result_history/?$", old_names.history, module, name=f"{key}-history"),
    ]
