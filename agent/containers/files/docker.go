package files

import (
	"context"
	"fmt"
	"path/filepath"

	"cassini/agent/containers/engine"
	"cassini/agent/containers/found"
	"cassini/model"
)

// Docker reads config.v2.json, which the daemon keeps for each container (moby
// daemon/container/container.go). It helps where the socket does not answer.
type Docker struct {
	Roots  []string // "/var/lib/docker"
	OfUser string   // below a home directory: ".local/share/docker"
}

// Find implements containers.Source.
func (d Docker) Find(_ context.Context, home model.Home) (model.Container, error) {
	if home.Runtime != model.RuntimeDocker && home.Runtime != "" {
		return model.Container{}, found.ErrUnknown
	}
	err := found.ErrUnknown
	for _, root := range roots(d.Roots, d.OfUser, home.LoginUID) {
		path := filepath.Join(root, "containers", home.ContainerID, "config.v2.json")
		raw, failed := read(path)
		if failed != nil {
			err = failed
			continue
		}
		c, failed := engine.Decode(raw, home.ContainerID)
		if failed != nil {
			return model.Container{}, fmt.Errorf("read %s: %w", path, failed)
		}
		c.Runtime, c.Source = model.RuntimeDocker, "docker files"
		return c, nil
	}
	return model.Container{}, err
}
