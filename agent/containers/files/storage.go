package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"cassini/agent/containers/found"
	"cassini/model"
)

// Storage reads what github.com/containers/storage keeps for Podman and CRI-O: a list of
// containers for each storage driver, and CRI-O's bundle of each.
type Storage struct {
	Roots  []string // "/var/lib/containers/storage"
	OfUser string   // below a home directory: ".local/share/containers/storage"
}

// Find implements containers.Source.
func (s Storage) Find(_ context.Context, home model.Home) (model.Container, error) {
	switch home.Runtime {
	case model.RuntimePodman, model.RuntimeCRIO, "":
	default:
		return model.Container{}, found.ErrUnknown
	}
	err := found.ErrUnknown
	for _, root := range roots(s.Roots, s.OfUser, home.LoginUID) {
		c, failed := stored(root, home)
		if failed == nil {
			return c, nil
		}
		if errors.Is(err, found.ErrUnknown) {
			err = failed
		}
	}
	return model.Container{}, err
}

func stored(root string, home model.Home) (model.Container, error) {
	// --rm makes a container volatile: it is in a list of its own then.
	lists, err := filepath.Glob(filepath.Join(root, "*-containers", "*containers.json"))
	if err != nil {
		return model.Container{}, fmt.Errorf("look for containers in %s: %w", root, err)
	}
	worst := found.ErrUnknown
	for _, path := range lists {
		c, err := listed(path, home)
		if err == nil {
			return c, nil
		}
		if errors.Is(worst, found.ErrUnknown) {
			worst = err
		}
	}
	return model.Container{}, worst
}

func listed(path string, home model.Home) (model.Container, error) {
	raw, err := read(path)
	if err != nil {
		return model.Container{}, err
	}
	c, err := decodeList(raw, home.ContainerID)
	if err != nil {
		return model.Container{}, fmt.Errorf("read %s: %w", path, err)
	}
	bundle := filepath.Join(filepath.Dir(path), home.ContainerID, "userdata", "config.json")
	if raw, err := read(bundle); err == nil { // it only adds
		c = annotated(c, raw)
	}
	if c.Runtime == "" {
		c.Runtime = model.RuntimePodman
	}
	c.Source = c.Runtime + " files"
	return c, nil
}

// entry is one container of the list (containers/storage containers.go, Container).
type entry struct {
	ID       string    `json:"id"`
	Names    []string  `json:"names"`
	Image    string    `json:"image"` // its id
	Metadata string    `json:"metadata"`
	Created  time.Time `json:"created"`
}

// metadata is what Podman (libpod/storage.go) and CRI-O (internal/storage/runtime.go)
// keep there, as JSON in a text.
type metadata struct {
	ImageName string `json:"image-name"`
	Name      string `json:"name"`
}

func decodeList(raw []byte, id string) (model.Container, error) {
	var list []entry
	if err := json.Unmarshal(raw, &list); err != nil {
		return model.Container{}, fmt.Errorf("%w: %w", found.ErrMalformed, err)
	}
	for _, e := range list {
		if e.ID != id {
			continue
		}
		var more metadata
		_ = json.Unmarshal([]byte(e.Metadata), &more) // others may keep something else there
		c := model.Container{ID: id, Name: more.Name, Image: more.ImageName, ImageID: "sha256:" + e.Image, Created: e.Created.UTC()}
		if c.Name == "" && len(e.Names) > 0 {
			c.Name = e.Names[0]
		}
		return c, nil
	}
	return model.Container{}, found.ErrUnknown
}
