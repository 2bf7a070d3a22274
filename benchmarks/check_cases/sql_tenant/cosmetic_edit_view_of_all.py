from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import CreateView, ListView, UpdateView

from .models import Court


class CourtCreate(LoginRequiredMixin, CreateView):
    model = Court
    fields = ["name", "surface"]

    def form_valid(self, form):
        form.instance.organisation = self.request.user.organisation
        return super().form_valid(form)


class CourtEdit(LoginRequiredMixin, UpdateView):
    model = Court
    fields = ["name", "surface"]

    def form_valid(self, form):
        form.instance.organisation = self.request.user.organisation
        return super().form_valid(form)
