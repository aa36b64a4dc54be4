package engine

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/agent/containers/found"
	"cassini/model"
)

const (
	dockerID = "6a4b1d0cbe2f4d8f9b3a51c2d7e8f90123456789abcdef0123456789abcdef01"
	podmanID = "74351a15c137113a0adf2994b06ce11716d0199232231cd94b7d9bd19ada6c47"
)

func answer(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// serve answers at a Unix socket as an engine does.
func serve(t *testing.T, h http.HandlerFunc) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return socket
}

// docker.json has the shape that Docker's API documentation gives, podman-4.3.1.json is
// what that version answered, cut down.
func TestFind(t *testing.T) {
	socket := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /containers/" + dockerID + "/json":
			_, _ = w.Write(answer(t, "docker.json"))
		case "GET /containers/" + podmanID + "/json":
			_, _ = w.Write(answer(t, "podman-4.3.1.json"))
		default:
			http.Error(w, `{"message":"no such container"}`, http.StatusNotFound)
		}
	})
	e := Engine{Runtime: model.RuntimeDocker, Socket: socket}
	got, err := e.Find(t.Context(), model.Home{Runtime: model.RuntimeDocker, ContainerID: dockerID})
	want := model.Container{
		ID: dockerID, Runtime: model.RuntimeDocker, Name: "shop-web-1", Image: "nginx:1.25",
		ImageID: "sha256:9bea9f2796e236cb18c2b3ad561ff29f655d1001f9ec7247a0bc5e08d25652a1",
		Project: "shop", ProjectService: "web",
		Created: time.Date(2026, 11, 20, 9, 12, 31, 123456789, time.UTC), Source: "docker socket",
	}
	if err != nil || got != want {
		t.Errorf("docker: %v\n got %+v\nwant %+v", err, got, want)
	}
	got, err = e.Find(t.Context(), model.Home{ContainerID: podmanID})
	if err != nil || got.Name != "cart" || got.Image != "localhost/shop/cart:1.2" {
		t.Errorf("podman: %v, %+v", err, got)
	}
	for name, home := range map[string]model.Home{
		"unknown":         {Runtime: model.RuntimeDocker, ContainerID: strings.Repeat("0", 64)},
		"of another kind": {Runtime: model.RuntimeCRIO, ContainerID: dockerID},
		"no id":           {ContainerID: "a b\x7f"},
	} {
		if _, err := e.Find(t.Context(), home); !errors.Is(err, found.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A user's engine is asked about that user's containers, and about no others.
func TestUserSocket(t *testing.T) {
	socket := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer(t, "docker.json")) })
	e := Engine{Runtime: model.RuntimeDocker, Socket: "/nonexistent", UserSocket: strings.Replace(socket, "engine", "%s", 1)}
	home := model.Home{ContainerID: dockerID, LoginUID: "engine"}
	if _, err := e.Find(t.Context(), home); err != nil {
		t.Error(err)
	}
	home.LoginUID = ""
	if _, err := e.Find(t.Context(), home); !errors.Is(err, found.ErrUnknown) {
		t.Errorf("the system's container: %v", err)
	}
}

func TestTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		want  error
	}{
		"another container": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer(t, "podman-4.3.1.json")) }, found.ErrMalformed},
		"no JSON":           {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, found.ErrMalformed},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
					return
				}
			}
		}, found.ErrMalformed},
		"a server's error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Engine{Socket: serve(t, c.serve)}.Find(t.Context(), model.Home{ContainerID: dockerID})
			if err == nil || errors.Is(err, found.ErrUnknown) || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// An engine that takes the question and never answers holds nobody beyond the context.
func TestHangs(t *testing.T) {
	asked, done := make(chan struct{}), make(chan struct{})
	socket := serve(t, func(http.ResponseWriter, *http.Request) { close(asked); <-done })
	defer close(done)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := (Engine{Socket: socket}).Find(ctx, model.Home{ContainerID: dockerID}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(answer(f, "docker.json"))
	f.Add(answer(f, "podman-4.3.1.json"))
	f.Add([]byte(`{"Id":"x","Config":null,"Created":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := Decode(raw, dockerID); err == nil && c.ID != dockerID {
			t.Errorf("about %q", c.ID)
		} else if err != nil && !errors.Is(err, found.ErrMalformed) {
			t.Errorf("got %v", err)
		}
	})
}
