from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import CreateView, ListView, UpdateView

from .models import Court


class OwnCourts(LoginRequiredMixin):
    model = Court

    def get_queryset(self):
        return super().get_queryset().filter(organisation=self.request.user.organisation)


class CourtEdit(OwnCourts, UpdateView):
    fields = ["name", "surface"]


class CourtList(OwnCourts, ListView):
    paginate_by = 50
