import pytest
import torch

from studies.errors import InputError
from worker.device import choose_device, device_kind, lanes_in_memory, use_one_thread

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="the machine has a GPU")
CPU = torch.device("cpu")


def test_cpu_is_the_cpu_whatever_else_there_is() -> None:
    assert choose_device("cpu") == CPU
    assert device_kind(CPU) == "cpu"


@without_gpu
def test_any_is_the_cpu_where_there_is_no_gpu_and_gpu_is_refused() -> None:
    assert choose_device("any") == CPU
    with pytest.raises(InputError, match=r"^ADAM_STUDIES_DEVICE is gpu, but torch finds no CUDA device"):
        choose_device("gpu")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match=r"^ADAM_STUDIES_DEVICE must be one of any, gpu, cpu, got 'tpu'$"):
        choose_device("tpu")


def test_lanes_that_fit_take_half_of_a_cores_part_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane of mnist-logistic is 7,850 parameters, of which an array holds six tensors of four bytes."""
    pages = {"SC_AVPHYS_PAGES": 1_000_000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("os.sysconf", pages.__getitem__)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert lanes_in_memory("mnist-logistic", CPU) == 1_000_000 * 4096 // 4 // 2 // (7850 * 24)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_is_chosen() -> None:
    device = choose_device("any")
    assert device.type == "cuda"
    assert device_kind(device) == torch.cuda.get_device_name(device)
    assert lanes_in_memory("mnist-logistic", device) > 1000


def test_one_thread_is_left() -> None:
    torch.set_num_threads(2)
    use_one_thread()
    assert torch.get_num_threads() == 1
