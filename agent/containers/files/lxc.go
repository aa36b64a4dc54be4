package files

import (
	"context"
	"path/filepath"
	"strings"

	"cassini/agent/containers/found"
	"cassini/model"
)

// LXC reads the configuration of a container of LXC (lxc.container.conf(5)). Its name is
// its id; what it was made from stands in comments that lxc-create(1) leaves.
type LXC struct {
	Roots  []string // "/var/lib/lxc"
	OfUser string   // below a home directory: ".local/share/lxc"
}

// Find implements containers.Source.
func (l LXC) Find(_ context.Context, home model.Home) (model.Container, error) {
	name := home.ContainerID
	if home.Runtime != model.RuntimeLXC || name != filepath.Base(name) || name == ".." || name == "." {
		return model.Container{}, found.ErrUnknown
	}
	err := found.ErrUnknown
	for _, root := range roots(l.Roots, l.OfUser, home.LoginUID) {
		raw, failed := read(filepath.Join(root, name, "config"))
		if failed != nil {
			err = failed
			continue
		}
		return model.Container{ID: name, Name: name, Runtime: model.RuntimeLXC, Image: template(string(raw)), Source: "lxc files"}, nil
	}
	return model.Container{}, err
}

// template tells what a container was made from, as "debian/bookworm" or as the name of
// the template; "" where nothing tells.
func template(config string) string {
	var name, dist, release string
	for line := range strings.Lines(config) {
		line = strings.TrimSpace(line)
		if path, ok := strings.CutPrefix(line, "# Template used to create this container: "); ok {
			name = strings.TrimPrefix(filepath.Base(path), "lxc-")
		}
		parameters, ok := strings.CutPrefix(line, "# Parameters passed to the template: ")
		if !ok {
			continue
		}
		words := strings.Fields(strings.ReplaceAll(parameters, "=", " "))
		for i, word := range words[:max(len(words)-1, 0)] {
			switch word {
			case "--dist", "-d":
				dist = words[i+1]
			case "--release", "-r":
				release = words[i+1]
			}
		}
	}
	switch {
	case dist != "" && release != "":
		return dist + "/" + release
	case dist != "":
		return dist
	case release != "" && name != "":
		return name + "/" + release
	}
	return name
}
