"""Calls the views on a stand-in for the few parts of Django that they use."""

import datetime
import sys
import types

sys.path.insert(0, "artifact")


class Http404(Exception):
    pass


class JsonResponse:
    def __init__(self, data, status=200):
        self.data, self.status_code = data, status


class QuerySet:
    def __init__(self, rows, model):
        self.rows, self.model = rows, model

    @staticmethod
    def _fits(row, lookup, wanted):
        *path, last = lookup.split("__")
        if last in ("gte", "in"):
            operator = last
        else:
            path.append(last)
            operator = "exact"
        value = row
        for name in path:
            value = getattr(value, name)
        return {"exact": lambda: value == wanted, "gte": lambda: value >= wanted, "in": lambda: value in wanted}[operator]()

    def filter(self, **lookups):
        return QuerySet([r for r in self.rows if all(self._fits(r, k, v) for k, v in lookups.items())], self.model)

    def all(self):
        return self

    def select_related(self, *names):
        return self

    def order_by(self, *names):
        return QuerySet(sorted(self.rows, key=lambda r: [getattr(r, n) for n in names]), self.model)

    def __iter__(self):
        return iter(self.rows)


class Manager:
    def __get__(self, instance, owner):
        return QuerySet(owner.stored, owner)


class Model:
    objects = Manager()

    def __init_subclass__(cls):
        cls.stored = []
        cls.fields = [name for name, value in vars(cls).items() if isinstance(value, Field)]

    def __init__(self, pk, **values):
        self.pk = self.id = pk
        for name in self.fields:
            setattr(self, name, values.get(name, getattr(type(self), name).default))
        if "company" in values:
            self.company_id = values["company"].pk
        self.stored.append(self)

    def save(self, update_fields=None):
        self.written = True


class Field:
    def __init__(self, *given, default=None, **more):
        self.default = default


def get_object_or_404(of, **lookups):
    rows = list((of if isinstance(of, QuerySet) else of.objects).filter(**lookups))
    if len(rows) != 1:
        raise Http404
    return rows[0]


def module(name, **content):
    made = sys.modules[name] = types.ModuleType(name)
    vars(made).update(content)


def same(view):
    return view


models = types.SimpleNamespace(Model=Model, PROTECT=None, Index=lambda **more: None)
for field in ("CharField", "BooleanField", "DateField", "ForeignKey"):
    setattr(models, field, Field)
for name in ("django", "django.contrib", "django.contrib.auth", "django.views", "django.views.decorators"):
    module(name)
module("django.db", models=models)
module("django.http", Http404=Http404, JsonResponse=JsonResponse)
module("django.shortcuts", get_object_or_404=get_object_or_404)
module("django.contrib.auth.decorators", login_required=same)
module("django.views.decorators.http", require_GET=same, require_POST=same)

from rental import views
from rental.models import Booking, Company

one, two = Company(1, name="One", active=True), Company(2, name="Two", active=True)
day = datetime.date.today() + datetime.timedelta(days=30)
for pk, company in ((1, one), (2, two), (3, one)):
    Booking(pk, company=company, item="PA", customer=f"C{pk}", starts_on=day, ends_on=day)
user = types.SimpleNamespace(company=one, company_id=1)
request = types.SimpleNamespace(user=user, method="POST", POST={"reason": "ill"}, GET={})

if [b["id"] for b in views.upcoming(request).data["bookings"]] != [1, 3]:
    sys.exit("upcoming does not work")
if not views.cancel(request, pk=3).data["cancelled"] or not views.detail(request, pk=3).data["cancelled"]:
    sys.exit("cancel or detail does not work")
for view in (views.detail, views.cancel):
    try:
        view(request, pk=2)
    except Http404:
        continue
    print(f"{view.__name__} reaches a booking of the other company")
    sys.exit(10)
if [b for b in Booking.stored if b.pk == 2][0].cancelled:
    print("a booking of the other company was cancelled")
    sys.exit(10)
