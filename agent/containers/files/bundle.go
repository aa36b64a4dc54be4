package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"cassini/agent/containers/found"
	"cassini/model"
)

// Bundles reads the OCI bundle of a running container of containerd: config.json, whose
// annotations containerd's CRI plugin and nerdctl write.
type Bundles struct {
	// Roots hold a directory for each of containerd's namespaces:
	// "/run/containerd/io.containerd.runtime.v2.task".
	Roots []string
}

// Find implements containers.Source.
func (b Bundles) Find(_ context.Context, home model.Home) (model.Container, error) {
	if home.Runtime != model.RuntimeContainerd && home.Runtime != "" {
		return model.Container{}, found.ErrUnknown
	}
	worst := found.ErrUnknown
	for _, root := range b.Roots {
		paths, err := filepath.Glob(filepath.Join(root, "*", home.ContainerID, "config.json"))
		if err != nil { // an id that is a pattern
			return model.Container{}, found.ErrUnknown
		}
		for _, path := range paths {
			c, err := bundle(path, home.ContainerID)
			if err == nil {
				return c, nil
			}
			if errors.Is(worst, found.ErrUnknown) {
				worst = err
			}
		}
	}
	return model.Container{}, worst
}

func bundle(path, id string) (model.Container, error) {
	if filepath.Base(filepath.Dir(filepath.Dir(path))) == "moby" { // Docker's, which keeps the names to itself
		return model.Container{}, found.ErrUnknown
	}
	raw, err := read(path)
	if err != nil {
		return model.Container{}, err
	}
	if !json.Valid(raw) {
		return model.Container{}, fmt.Errorf("read %s: %w: it is not JSON", path, found.ErrMalformed)
	}
	c := annotated(model.Container{ID: id}, raw)
	if c.Name == "" && c.PodName == "" && c.Image == "" {
		return model.Container{}, fmt.Errorf("read %s: %w: no annotation names it", path, found.ErrUnknown)
	}
	c.Runtime, c.Source = model.RuntimeContainerd, "containerd files"
	return c, nil
}

// Annotations of OCI bundles.
const (
	// github.com/containerd/containerd pkg/cri/annotations/annotations.go
	criContainer = "io.kubernetes.cri.container-name"
	criType      = "io.kubernetes.cri.container-type"
	criImage     = "io.kubernetes.cri.image-name"
	criPod       = "io.kubernetes.cri.sandbox-name"
	criNamespace = "io.kubernetes.cri.sandbox-namespace"
	criUID       = "io.kubernetes.cri.sandbox-uid"
	// github.com/containerd/nerdctl pkg/labels/labels.go
	nerdctlName = "nerdctl/name"
	// github.com/cri-o/cri-o pkg/annotations/internal.go
	crioName  = "io.kubernetes.cri-o.Name"
	crioImage = "io.kubernetes.cri-o.ImageName"
	crioType  = "io.kubernetes.cri-o.ContainerType"
	// "cri-o", or "libpod" for Podman, which writes some of CRI-O's as well.
	manager = "io.container.manager"
)

// pause is what the container of a pod's sandbox is called.
const pause = "(sandbox)"

// annotated adds what the annotations of an OCI bundle tell; what cannot be read tells
// nothing.
func annotated(c model.Container, config []byte) model.Container {
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	_ = json.Unmarshal(config, &spec)
	a := spec.Annotations
	or := func(field *string, keys ...string) {
		for _, key := range keys {
			if *field == "" {
				*field = a[key]
			}
		}
	}
	if a[manager] == model.RuntimeCRIO {
		c.Runtime = model.RuntimeCRIO
	}
	or(&c.PodContainer, criContainer)
	or(&c.PodName, criPod)
	or(&c.PodNamespace, criNamespace)
	or(&c.PodUID, criUID)
	or(&c.Image, criImage, crioImage)
	or(&c.Name, nerdctlName, crioName, criContainer)
	c = found.Labelled(c, a)
	if a[criType] == "sandbox" || a[crioType] == "sandbox" {
		c.PodContainer = pause
	}
	return c
}
