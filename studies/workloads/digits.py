"""The paper's models on scikit-learn's handwritten digits: no download, seconds a study."""

from dataclasses import replace

from studies.workloads.entry import Workload
from studies.workloads.paper import CROSS_ENTROPY, MNIST_LOGISTIC

_DATA = "data of Alpaydin & Kaynak 1998 (UCI), as in scikit-learn"
_UNSTATED = "Not in the paper: the offline stand-in for {}, with the same choices."

_LOGISTIC = replace(
    MNIST_LOGISTIC,
    name="digits-logistic",
    title="Softmax regression on scikit-learn's handwritten digits",
    citation=f"Model of Kingma & Ba 2015, section 6.1; {_DATA}",
    dataset="digits",
    model="L2-regularised softmax regression, 64 inputs, 10 classes",
    input_shape=(64,),
    n_train=1_437,
    n_validation=287,
    n_test=360,
    epochs=20,
    unstated=_UNSTATED.format("mnist-logistic"),
)

DIGITS: tuple[Workload, ...] = (
    _LOGISTIC,
    replace(
        _LOGISTIC,
        name="digits-mlp",
        title="Multilayer perceptron on scikit-learn's handwritten digits",
        citation=f"Model after Kingma & Ba 2015, section 6.2; {_DATA}",
        model="64-100-100-10 ReLU, deterministic, with L2",
        l2=1e-5,
        schedule="constant",
        unstated=_UNSTATED.format("mnist-mlp"),
    ),
    replace(
        _LOGISTIC,
        name="digits-cnn",
        title="Convolutional network on scikit-learn's handwritten digits",
        citation=f"Model after Kingma & Ba 2015, section 6.3; {_DATA}",
        model="3 x [5x5 convolution, ReLU, 3x3 max pooling of stride 2] of 8, 8 and 16 channels, 50 ReLU units",
        input_shape=(1, 8, 8),
        loss=CROSS_ENTROPY,
        l2=0.0,
        epochs=15,
        schedule="constant",
        unstated=f"{_UNSTATED.format('cifar10-cnn')[:-1]}, but without whitening.",
    ),
    replace(
        _LOGISTIC,
        name="digits-vae",
        title="Variational autoencoder on scikit-learn's handwritten digits",
        citation=f"Model after Kingma & Ba 2015, section 6.4; {_DATA}",
        model="64-50-10-50-64 softplus, Gaussian latent, Bernoulli likelihood",
        n_classes=None,
        loss="negative evidence lower bound in nats per image, one latent sample",
        metric=None,
        l2=0.0,
        batch_size=100,
        schedule="constant",
        unstated=_UNSTATED.format("mnist-vae"),
    ),
)
