package debian

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
)

// Kernel is one of Debian's kernels, unpacked.
type Kernel struct {
	Series  string `json:"series"`  // "6.1"
	Flavour string `json:"flavour"` // Cloud, Ordinary or Realtime
	Arch    string `json:"arch"`    // Debian's and Go's: "amd64", "arm64"
	Package string `json:"package"` // "linux-image-6.1.0-56-cloud-amd64"
	Version string `json:"version"` // of the package: "6.1.170-1"
	Suite   string `json:"suite"`   // where it came from
	Release string `json:"release"` // uname -r
	Image   string `json:"image"`   // path of the bootable kernel
	Modules string `json:"modules"` // directory of its modules
}

// Flavours in which Debian builds a series.
const (
	Cloud    = "cloud"
	Ordinary = "ordinary" // which bears no flavour in its name
	Realtime = "rt"
)

var nameForm = regexp.MustCompile(`^([0-9]+\.[0-9]+)(?:-(` + Ordinary + `|` + Realtime + `))?$`)

// ParseName reads the name of a kernel as people give it: its series, of the flavour for clouds, or
// behind a hyphen another flavour, such as 6.12-rt.
func ParseName(name string) (series, flavour string, err error) {
	m := nameForm.FindStringSubmatch(name)
	if m == nil {
		return "", "", fmt.Errorf("kernel %q is not a series such as 6.1, nor one with a flavour such as 6.1-%s or 6.1-%s", name, Ordinary, Realtime)
	}
	return m[1], cmp.Or(m[2], Cloud), nil
}

// Name is what ParseName reads.
func (k Kernel) Name() string {
	if k.Flavour == Cloud {
		return k.Series
	}
	return k.Series + "-" + k.Flavour
}

// Fetcher keeps what it fetches below Dir. It is for one goroutine and one
// process at a time.
type Fetcher struct {
	Dir    string
	Logger *slog.Logger
	// Refresh asks the mirrors for newer kernels even when there is one already.
	Refresh bool

	mirrors Mirrors
	roots   map[string]*root
}

// suites says where a series of kernels is found, best first.
func suites(series string) []string {
	switch series {
	case "5.10":
		return []string{"bullseye-security", "bullseye"}
	case "6.1":
		return []string{"bookworm-security", "bookworm"}
	case "6.12":
		return []string{"bookworm-backports", "trixie-security", "trixie"}
	default:
		return []string{"trixie-backports", "bookworm-backports", "sid"}
	}
}

// Kernel returns the newest kernel of a name that ParseName reads, from the cache when it is there.
func (f *Fetcher) Kernel(ctx context.Context, name, arch string) (Kernel, error) {
	series, flavour, err := ParseName(name)
	if err != nil {
		return Kernel{}, err
	}
	want := Kernel{Series: series, Flavour: flavour, Arch: arch}
	dir := filepath.Join(f.Dir, "kernels", arch, name)
	if kernel, err := readKernel(dir); err == nil && !f.Refresh {
		return kernel, nil
	}
	var problems []error
	for _, suite := range suites(series) {
		want.Suite = suite
		kernel, err := f.fetch(ctx, dir, want)
		if err == nil {
			return kernel, nil
		}
		problems = append(problems, fmt.Errorf("from %s: %w", suite, err))
	}
	return Kernel{}, fmt.Errorf("fetch kernel %s for %s: %w", name, arch, errors.Join(problems...))
}

func (f *Fetcher) fetch(ctx context.Context, dir string, want Kernel) (Kernel, error) {
	root, err := f.root(ctx, want.Suite, want.Arch)
	if err != nil {
		return Kernel{}, err
	}
	found, err := candidates(ctx, root, want)
	if err != nil {
		return Kernel{}, err
	}
	var problems []error
	for _, c := range found { // a listed package can be missing: an older one serves
		f.Logger.Info("fetching kernel", "package", c.name, "version", c.version, "suite", want.Suite)
		kernel := want
		kernel.Package, kernel.Version = c.name, c.version
		for _, packages := range c.fetches() {
			err := replaceDir(dir, func(fresh string) error {
				if err := root.unpack(ctx, fresh, packages...); err != nil {
					return err
				}
				return kernel.locate(fresh)
			})
			if err == nil {
				return readKernel(dir)
			}
			problems = append(problems, err)
		}
	}
	return Kernel{}, errors.Join(problems...)
}

// root returns the private apt of a suite, with fresh lists once per run.
func (f *Fetcher) root(ctx context.Context, suite, arch string) (*root, error) {
	key := suite + "-" + arch
	if r := f.roots[key]; r != nil {
		return r, nil
	}
	if f.mirrors.Main == "" {
		m, err := ThisMachine(ctx)
		if err != nil {
			return nil, err
		}
		f.mirrors = m
	}
	r, err := newRoot(ctx, filepath.Join(f.Dir, "apt", key), arch, "", f.mirrors, suite)
	if err != nil {
		return nil, err
	}
	if f.roots == nil {
		f.roots = make(map[string]*root)
	}
	f.roots[key] = r
	return r, nil
}

// locate finds image and modules below a directory and writes down where they
// are, relative to it.
func (k Kernel) locate(dir string) error {
	image := glob(dir, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz*")
	modules := glob(dir, "lib/modules/*/modules.builtin", "usr/lib/modules/*/modules.builtin")
	if image == "" || modules == "" {
		return fmt.Errorf("unpack %s: it holds no kernel image or no modules.builtin", k.Package)
	}
	k.Image, k.Modules = image, filepath.Dir(modules)
	k.Release = filepath.Base(k.Modules)
	data, err := json.MarshalIndent(k, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "kernel.json"), data, 0o644)
}

func readKernel(dir string) (Kernel, error) {
	var k Kernel
	data, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, fmt.Errorf("read %s (remove that directory to fetch again): %w", dir, err)
	}
	k.Flavour = cmp.Or(k.Flavour, Cloud) // which all were once
	k.Image, k.Modules = filepath.Join(dir, k.Image), filepath.Join(dir, k.Modules)
	return k, nil
}

func glob(dir string, patterns ...string) string {
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			relative, _ := filepath.Rel(dir, found[0])
			return relative
		}
	}
	return ""
}

// replaceDir fills a fresh directory and puts it in the place of dir only when
// that worked.
func replaceDir(dir string, fill func(fresh string) error) error {
	fresh := dir + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.MkdirAll(fresh, 0o755); err != nil {
		return err
	}
	if err := fill(fresh); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(fresh, dir)
}
