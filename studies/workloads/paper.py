"""The workloads of the paper's experiments (Kingma & Ba 2015, section 6)."""

from dataclasses import replace

from studies.workloads.entry import Workload

#: Share of misclassified examples, of images and of reviews.
IMAGE_ERROR = "share of test images classified wrongly"
_REVIEW_ERROR = "share of test reviews classified wrongly"

CROSS_ENTROPY = "cross-entropy in nats per example"

#: Rates are multiples of 1/256, as the masks are made from random bytes: about a fifth.
INPUT_DROPOUT = 51 / 256

_INITIAL = "the initial weights (here normal with variance {}, biases 0)"
_HE = "2/inputs, in the last layer 1/inputs"

MNIST_LOGISTIC = Workload(
    name="mnist-logistic",
    title="Softmax regression on MNIST",
    citation="Kingma & Ba 2015, section 6.1, Figure 1 left",
    dataset="mnist",
    model="L2-regularised softmax regression, 784 inputs, 10 classes",
    input_shape=(784,),
    n_classes=10,
    loss=f"{CROSS_ENTROPY}, with the L2 term",
    metric=IMAGE_ERROR,
    n_train=60_000,
    n_validation=10_000,
    n_test=10_000,
    l2=1e-4,
    batch_size=128,
    epochs=10,
    schedule="inverse-sqrt",
    unstated="The paper states neither the L2 strength (here 1e-4), nor the scaling of the pixels (here to [0, 1]), "
    f"nor {_INITIAL.format('1/inputs')}.",
)

_IMDB_LOGISTIC = Workload(
    name="imdb-logistic",
    title="Logistic regression on IMDB reviews",
    citation="Kingma & Ba 2015, section 6.1, Figure 1 right; data of Maas et al. 2011",
    dataset="imdb",
    model="L2-regularised logistic regression on bags of the 10,000 most frequent words",
    input_shape=(10_000,),
    n_classes=2,
    loss=f"{CROSS_ENTROPY}, with the L2 term",
    metric=_REVIEW_ERROR,
    n_train=25_000,
    n_validation=5_000,
    n_test=25_000,
    l2=1e-4,
    batch_size=128,
    epochs=20,
    schedule="inverse-sqrt",
    unstated="The paper states neither the batch (here 128), nor whether words are counted (here 1 for a word that "
    "occurs), nor an L2 strength for this task (here 1e-4, as on MNIST), nor the initial weights (here 0).",
)

_MNIST_MLP = Workload(
    name="mnist-mlp",
    title="Multilayer perceptron on MNIST",
    citation="Kingma & Ba 2015, section 6.2, Figure 2b",
    dataset="mnist",
    model="784-1000-1000-10 ReLU, deterministic, with L2",
    input_shape=(784,),
    n_classes=10,
    loss=f"{CROSS_ENTROPY}, with the L2 term",
    metric=IMAGE_ERROR,
    n_train=60_000,
    n_validation=10_000,
    n_test=10_000,
    l2=1e-5,
    batch_size=128,
    epochs=10,
    unstated="The paper states neither the L2 strength (here 1e-5), nor the scaling of the pixels (here to [0, 1]), "
    f"nor a schedule (here constant), nor {_INITIAL.format(_HE)}.",
)

_CIFAR10_CNN = Workload(
    name="cifar10-cnn",
    title="Convolutional network on CIFAR-10",
    citation="Kingma & Ba 2015, section 6.3, Figure 3; data of Krizhevsky 2009",
    dataset="cifar-10",
    model="3 x [5x5 convolution, ReLU, 3x3 max pooling of stride 2] of 64, 64 and 128 channels, 1000 ReLU units",
    input_shape=(3, 32, 32),
    n_classes=10,
    loss=CROSS_ENTROPY,
    metric=IMAGE_ERROR,
    n_train=50_000,
    n_validation=10_000,
    n_test=10_000,
    batch_size=128,
    epochs=3,
    unstated="The paper states neither the whitening (here contrast normalisation and ZCA after pylearn2), nor the "
    "convolutions' activation and padding (here ReLU, 2 pixels of 0; pooling windows are cut off at the right and "
    f"lower edge), nor a schedule (here constant), nor {_INITIAL.format(_HE)}.",
)

_MNIST_VAE = Workload(
    name="mnist-vae",
    title="Variational autoencoder on MNIST",
    citation="Kingma & Ba 2015, section 6.4, Figure 4; model of Kingma & Welling 2014",
    dataset="mnist",
    model="784-500-50-500-784 softplus, Gaussian latent, Bernoulli likelihood",
    input_shape=(784,),
    n_classes=None,
    loss="negative evidence lower bound in nats per image, one latent sample",
    metric=None,
    n_train=60_000,
    n_validation=10_000,
    n_test=10_000,
    batch_size=100,
    epochs=10,
    unstated="The paper names neither the data (here MNIST, grey levels as probabilities), nor the batch (here 100, as "
    f"Kingma & Welling), nor {_INITIAL.format('1/inputs')}.",
)

PAPER = (
    MNIST_LOGISTIC,
    _IMDB_LOGISTIC,
    replace(
        _IMDB_LOGISTIC,
        name="imdb-logistic-dropout",
        title="Logistic regression on IMDB reviews, dropout",
        model=f"{_IMDB_LOGISTIC.model}, 50 % dropout of the inputs",
        input_dropout=0.5,
    ),
    _MNIST_MLP,
    replace(
        _MNIST_MLP,
        name="mnist-mlp-dropout",
        title="Multilayer perceptron on MNIST, dropout",
        citation="Kingma & Ba 2015, section 6.2, Figure 2a",
        model="784-1000-1000-10 ReLU, dropout of the inputs (20 %) and of the hidden units (50 %)",
        loss=CROSS_ENTROPY,
        l2=0.0,
        dropout=0.5,
        input_dropout=INPUT_DROPOUT,
        unstated="The paper states neither the rates of dropout (here 0.5, and 51/256 of the inputs), nor the scaling "
        f"of the pixels (here to [0, 1]), nor a schedule (here constant), nor {_INITIAL.format(_HE)}.",
    ),
    _CIFAR10_CNN,
    replace(
        _CIFAR10_CNN,
        name="cifar10-cnn-dropout",
        title="Convolutional network on CIFAR-10, dropout",
        model=f"{_CIFAR10_CNN.model}; dropout of the inputs (20 %) and of these units (50 %)",
        dropout=0.5,
        input_dropout=INPUT_DROPOUT,
        unstated=f"{_CIFAR10_CNN.unstated} Nor does it state the rates of dropout (here 0.5, and 51/256 of the "
        "inputs).",
    ),
    _MNIST_VAE,
)
