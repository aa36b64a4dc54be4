// Package engine asks a container engine by its Unix socket: Docker's Engine API, which
// Podman serves too (https://docs.docker.com/reference/api/engine/, "Inspect a
// container"). It reads and changes nothing.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"cassini/agent/containers/found"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// maxAnswer bounds an answer, in bytes: mounts and labels have no bound of their own.
const maxAnswer = 4 << 20

// Engine is one kind of engine with the places where its socket can be.
type Engine struct {
	// Runtime is what it manages: model.RuntimeDocker or model.RuntimePodman.
	Runtime string
	// Socket is the path for the system, UserSocket the one of an engine that a user
	// runs, with "%s" for the user's number; "" where there is none.
	Socket, UserSocket string
}

// Find asks for a container. Only the engine of the user in whose slice the container is
// is asked about it, so that a user can tell nothing of others' containers.
func (e Engine) Find(ctx context.Context, home model.Home) (model.Container, error) {
	if home.Runtime != e.Runtime && home.Runtime != "" {
		return model.Container{}, found.ErrUnknown
	}
	socket := e.Socket
	if home.LoginUID != "" && e.UserSocket != "" {
		socket = fmt.Sprintf(e.UserSocket, home.LoginUID)
	}
	c, err := ask(ctx, socket, home.ContainerID)
	if err != nil {
		return model.Container{}, err
	}
	c.Runtime, c.Source = e.Runtime, e.Runtime+" socket"
	return c, nil
}

func ask(ctx context.Context, socket, id string) (model.Container, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, // one question in a long while
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/containers/"+id+"/json", nil)
	if err != nil {
		return model.Container{}, fmt.Errorf("ask %s: %w: %w", socket, found.ErrUnknown, err)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		// No engine there, or one that was there once.
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return model.Container{}, fmt.Errorf("ask %s: %w", socket, found.ErrUnknown)
		}
		return model.Container{}, fmt.Errorf("ask %s: %w", socket, err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return model.Container{}, fmt.Errorf("ask %s: %w", socket, found.ErrUnknown)
	default:
		return model.Container{}, fmt.Errorf("ask %s: status %s", socket, answer.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return model.Container{}, fmt.Errorf("read the answer of %s: %w", socket, err)
	}
	c, err := Decode(raw, id)
	if err != nil {
		return model.Container{}, fmt.Errorf("ask %s: %w", socket, err)
	}
	return c, nil
}

// inspected is what is taken from the answer.
type inspected struct {
	ID      string `json:"Id"`
	Name    string
	Created string
	Image   string // its id
	Config  struct {
		Image  string
		Labels map[string]string
	}
}

// Decode reads an answer about the container with that id. Docker's config.v2.json has
// the same shape. The error wraps found.ErrMalformed.
func Decode(raw []byte, id string) (model.Container, error) {
	var in inspected
	if len(raw) > maxAnswer {
		return model.Container{}, fmt.Errorf("%w: more than %d bytes", found.ErrMalformed, maxAnswer)
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return model.Container{}, fmt.Errorf("%w: %w", found.ErrMalformed, err)
	}
	if in.ID != id {
		return model.Container{}, fmt.Errorf("%w: it is about %.80q instead of %q", found.ErrMalformed, in.ID, id)
	}
	created, _ := time.Parse(time.RFC3339Nano, in.Created) // absent is absent
	c := model.Container{ID: id, Name: strings.TrimPrefix(in.Name, "/"), Image: in.Config.Image, ImageID: in.Image, Created: created.UTC()}
	return found.Labelled(c, in.Config.Labels), nil
}
