package found

import (
	"strings"
	"testing"
	"unicode/utf8"

	"cassini/model"
)

func TestClean(t *testing.T) {
	c := Clean(model.Container{Name: "a\x00b\x1b[31m\xff", Image: strings.Repeat("é", 300), PodName: "web-0"})
	if c.Name != "ab[31m" || c.PodName != "web-0" {
		t.Errorf("got %+v", c)
	}
	if len(c.Image) > maxText || !utf8.ValidString(c.Image) {
		t.Errorf("%d bytes: %q", len(c.Image), c.Image)
	}
}

func TestLabelled(t *testing.T) {
	c := Labelled(model.Container{PodName: "known"}, map[string]string{
		"io.kubernetes.pod.name": "other", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.container.name": "cart",
		"io.kubernetes.pod.uid": "u", "io.podman.compose.project": "p",
	})
	want := model.Container{PodName: "known", PodNamespace: "shop", PodContainer: "cart", PodUID: "u", Project: "p"}
	if c != want {
		t.Errorf("got %+v", c)
	}
}
