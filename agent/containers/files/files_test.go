package files

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"cassini/agent/containers/found"
	"cassini/model"

	"golang.org/x/sys/unix"
)

const (
	id  = "74351a15c137113a0adf2994b06ce11716d0199232231cd94b7d9bd19ada6c47"
	uid = "2b8f3f5c-6f0e-4b7a-9d39-1a2b3c4d5e6f"
)

func write(t *testing.T, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// As Podman 4.3.1 wrote it.
const podmanList = `[{"id":"74351a15c137113a0adf2994b06ce11716d0199232231cd94b7d9bd19ada6c47","names":["cart"],"image":"6616efb0c9ca4162f4b231a78e8aa88f923334bf8220dd5acfbb835fe38f0875","layer":"269010905b8a7259b570e3aeb935b033cbce8ae40f2d7b58f8876dd32095a75f","metadata":"{\"image-name\":\"localhost/shop/cart:1.2\",\"image-id\":\"6616efb0c9ca4162f4b231a78e8aa88f923334bf8220dd5acfbb835fe38f0875\",\"name\":\"cart\",\"created-at\":1795259694}","created":"2026-11-21T11:14:54.813794007Z","flags":{"MountLabel":"","ProcessLabel":""}}]`

func TestPodman(t *testing.T) {
	for _, list := range []string{"overlay-containers/containers.json", "vfs-containers/volatile-containers.json"} {
		root := t.TempDir()
		write(t, root, "btrfs-containers/containers.json", "[]")
		write(t, root, list, podmanList)
		// Podman writes some of CRI-O's annotations too.
		write(t, root, filepath.Dir(list)+"/"+id+"/userdata/config.json", `{"ociVersion":"1.0.2-dev","annotations":{"io.container.manager":"libpod","io.kubernetes.cri-o.Created":"2026-11-21T11:14:54Z","io.kubernetes.cri-o.ContainerType":"container"}}`)
		got, err := Storage{Roots: []string{"/nonexistent", root}}.Find(t.Context(), model.Home{Runtime: model.RuntimePodman, ContainerID: id})
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != "cart" || got.Image != "localhost/shop/cart:1.2" || got.Runtime != model.RuntimePodman || got.Source != "podman files" ||
			got.ImageID != "sha256:6616efb0c9ca4162f4b231a78e8aa88f923334bf8220dd5acfbb835fe38f0875" || got.Created.Year() != 2026 {
			t.Errorf("got %+v", got)
		}
	}
}

func TestCRIO(t *testing.T) {
	root := t.TempDir()
	write(t, root, "overlay-containers/containers.json", `[{"id":"`+id+`","names":["k8s_cart_cart-7d9f_shop_`+uid+`_0"],"image":"6616","metadata":"{\"pod-name\":\"k8s_POD\",\"image-name\":\"quay.io/shop/cart:1.2\",\"name\":\"k8s_cart\"}","created":"2026-11-21T11:14:54Z"}]`)
	write(t, root, "overlay-containers/"+id+"/userdata/config.json", `{"annotations":{"io.container.manager":"cri-o","io.kubernetes.cri-o.ContainerType":"container",
		"io.kubernetes.container.name":"cart","io.kubernetes.pod.name":"cart-7d9f","io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"`+uid+`"}}`)
	got, err := Storage{Roots: []string{root}}.Find(t.Context(), model.Home{Runtime: model.RuntimeCRIO, ContainerID: id})
	if err != nil || got.PodName != "cart-7d9f" || got.PodNamespace != "shop" || got.PodContainer != "cart" || got.PodUID != uid ||
		got.Image != "quay.io/shop/cart:1.2" || got.Runtime != model.RuntimeCRIO || got.Source != "cri-o files" {
		t.Errorf("%v, got %+v", err, got)
	}
}

func TestContainerd(t *testing.T) {
	root := t.TempDir()
	write(t, root, "k8s.io/"+id+"/config.json", `{"ociVersion":"1.1.0","process":{},"annotations":{"io.kubernetes.cri.container-name":"cart","io.kubernetes.cri.container-type":"container",
		"io.kubernetes.cri.image-name":"docker.io/shop/cart:1.2","io.kubernetes.cri.sandbox-id":"x","io.kubernetes.cri.sandbox-name":"cart-7d9f","io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-uid":"`+uid+`"}}`)
	b := Bundles{Roots: []string{root}}
	home := model.Home{Runtime: model.RuntimeContainerd, ContainerID: id}
	want := model.Container{
		ID: id, Runtime: model.RuntimeContainerd, Name: "cart", Image: "docker.io/shop/cart:1.2", PodName: "cart-7d9f", PodNamespace: "shop",
		PodContainer: "cart", PodUID: uid, Source: "containerd files",
	}
	if got, err := b.Find(t.Context(), home); err != nil || got != want {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	write(t, root, "k8s.io/"+id+"/config.json", `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"cart-7d9f"}}`)
	if got, err := b.Find(t.Context(), home); err != nil || got.PodContainer != pause {
		t.Errorf("sandbox: %v, %+v", err, got)
	}
	write(t, root, "k8s.io/"+id+"/config.json", `{"annotations":{"nerdctl/name":"web"}}`)
	if got, err := b.Find(t.Context(), home); err != nil || got.Name != "web" {
		t.Errorf("nerdctl: %v, %+v", err, got)
	}
	write(t, root, "k8s.io/"+id+"/config.json", `{}`)
	if _, err := b.Find(t.Context(), home); !errors.Is(err, found.ErrUnknown) {
		t.Errorf("without annotations: %v", err)
	}
	write(t, root, "k8s.io/"+id+"/config.json", `{`)
	if _, err := b.Find(t.Context(), home); !errors.Is(err, found.ErrMalformed) {
		t.Errorf("not JSON: %v", err)
	}
	if _, err := b.Find(t.Context(), model.Home{ContainerID: "[" + id}); !errors.Is(err, found.ErrUnknown) {
		t.Errorf("a pattern: %v", err)
	}
}

func TestDockerFiles(t *testing.T) {
	root := t.TempDir()
	write(t, root, "containers/"+id+"/config.v2.json", `{"StreamConfig":{},"State":{"Running":true},"ID":"`+id+`","Created":"2026-11-20T09:12:31Z","Managed":false,"Config":{"Image":"nginx:1.25","Labels":{}},"Image":"sha256:9b","Name":"/web","Driver":"overlay2"}`)
	d := Docker{Roots: []string{"/nonexistent", root}}
	got, err := d.Find(t.Context(), model.Home{Runtime: model.RuntimeDocker, ContainerID: id})
	if err != nil || got.Name != "web" || got.Image != "nginx:1.25" || got.Source != "docker files" {
		t.Errorf("%v, %+v", err, got)
	}
	if _, err := d.Find(t.Context(), model.Home{Runtime: model.RuntimeDocker, ContainerID: strings.Repeat("0", 64)}); !errors.Is(err, found.ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
}

func TestLXC(t *testing.T) {
	root := t.TempDir()
	write(t, root, "web/config", "# Template used to create this container: /usr/share/lxc/templates/lxc-download\n# Parameters passed to the template: --dist debian --release bookworm --arch amd64\nlxc.uts.name = web\n")
	write(t, root, "old/config", "# Template used to create this container: /usr/share/lxc/templates/lxc-debian\n# Parameters passed to the template: -r buster\n")
	write(t, root, "bare/config", "lxc.uts.name = bare\n")
	l := LXC{Roots: []string{root}}
	for name, image := range map[string]string{"web": "debian/bookworm", "old": "debian/buster", "bare": ""} {
		got, err := l.Find(t.Context(), model.Home{Runtime: model.RuntimeLXC, ContainerID: name})
		if err != nil || got.Name != name || got.Image != image {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
	for _, name := range []string{"..", "../web", "a/b", ".", ""} {
		if _, err := l.Find(t.Context(), model.Home{Runtime: model.RuntimeLXC, ContainerID: name}); !errors.Is(err, found.ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What a user may put there holds nobody: a FIFO, a directory, a file without end.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, dir, "/dev/zero"} {
		if _, err := read(path); !errors.Is(err, found.ErrMalformed) {
			t.Errorf("%s: %v", path, err)
		}
	}
	big := filepath.Join(dir, "big")
	if err := os.Truncate(touch(t, big), maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := read(big); !errors.Is(err, found.ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
	if _, err := read(filepath.Join(dir, "none")); !errors.Is(err, found.ErrUnknown) {
		t.Errorf("absent: %v", err)
	}
}

func touch(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoots(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	system := []string{"/var/lib/x"}
	if got := roots(system, ".x", ""); len(got) != 1 || got[0] != "/var/lib/x" {
		t.Errorf("system: %q", got)
	}
	if got := roots(system, ".x", "4294967290"); got != nil {
		t.Errorf("nobody: %q", got)
	}
	if me.Uid == "0" {
		t.Log("root has no directory of its own: that case did not run")
		return
	}
	if got := roots(system, ".x", me.Uid); len(got) != 1 || got[0] != filepath.Join(me.HomeDir, ".x") {
		t.Errorf("user: %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(podmanList))
	f.Add([]byte(`{"annotations":{"io.kubernetes.cri.sandbox-name":"x"}}`))
	f.Add([]byte("# Parameters passed to the template: --dist debian --release\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := decodeList(raw, id); err == nil && c.ID != id {
			t.Errorf("about %q", c.ID)
		}
		annotated(model.Container{}, raw)
		template(string(raw))
	})
}
