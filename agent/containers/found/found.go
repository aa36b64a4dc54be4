// Package found is what sources of containers have in common: their errors, and how what
// they tell becomes a model.Container. It is pure.
package found

import (
	"errors"
	"strings"
	"unicode/utf8"

	"cassini/model"
)

// Errors of sources.
var (
	// ErrUnknown says that a source does not know a container.
	ErrUnknown = errors.New("no runtime knows the container")
	// ErrMalformed says that a source told something that cannot be read.
	ErrMalformed = errors.New("what the runtime tells cannot be read")
)

// maxText bounds what is kept of each text, in bytes: images put no limit on theirs.
const maxText = 512

// Labels that runtimes and orchestrators put on containers.
const (
	// k8s.io/kubernetes/pkg/kubelet/types/labels.go
	kubePod       = "io.kubernetes.pod.name"
	kubeNamespace = "io.kubernetes.pod.namespace"
	kubeUID       = "io.kubernetes.pod.uid"
	kubeContainer = "io.kubernetes.container.name"
	// github.com/docker/compose pkg/api/labels.go; podman-compose writes its own.
	composeProject       = "com.docker.compose.project"
	composeService       = "com.docker.compose.service"
	podmanComposeProject = "io.podman.compose.project"
)

// Labelled adds what labels tell to a container.
func Labelled(c model.Container, labels map[string]string) model.Container {
	set(&c.PodName, labels[kubePod])
	set(&c.PodNamespace, labels[kubeNamespace])
	set(&c.PodUID, labels[kubeUID])
	set(&c.PodContainer, labels[kubeContainer])
	set(&c.Project, labels[composeProject])
	set(&c.Project, labels[podmanComposeProject])
	set(&c.ProjectService, labels[composeService])
	return c
}

func set(field *string, text string) {
	if *field == "" {
		*field = text
	}
}

// Clean bounds every text of a container and makes it fit for a document.
func Clean(c model.Container) model.Container {
	for _, text := range []*string{
		&c.Name, &c.Image, &c.ImageID, &c.PodNamespace, &c.PodName, &c.PodUID, &c.PodContainer, &c.Project, &c.ProjectService,
	} {
		*text = clean(*text)
	}
	return c
}

func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s[:min(len(s), maxText)])
	return strings.ToValidUTF8(s, "")
}
