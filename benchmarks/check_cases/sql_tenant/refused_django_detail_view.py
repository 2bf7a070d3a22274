from django.views.generic import DetailView, ListView

from .models import Contract


class Contracts(ListView):
    def get_queryset(self):
        return Contract.objects.filter(organization=self.request.user.organization)


class ContractPage(DetailView):
    model = Contract
    template_name = "contract.html"
