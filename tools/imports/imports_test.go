package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// allowed says which of our folders a folder may import. What is not listed may
// import nothing of ours.
var allowed = map[string][]string{
	"model":    {},
	"bpf":      {},
	"agent":    {"agent", "bpf", "model"},
	"manager":  {"manager", "model"},
	"exporter": {"exporter", "model"},
	"cmd":      {"cmd", "agent", "manager", "exporter", "model"},
}

// forbidden keeps I/O out of what must stay pure.
var forbidden = map[string][]string{
	"cassini/model":         {"net/http", "os", "github.com/cilium/ebpf", "go.etcd.io/bbolt"},
	"cassini/manager/graph": {"net/http", "os", "github.com/cilium/ebpf", "go.etcd.io/bbolt", "github.com/vishvananda/netlink"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestArrowsPointOneWay(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "cassini/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	packages := 0
	for {
		var pkg listed
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages++
		check(t, pkg)
	}
	if packages < 10 {
		t.Errorf("only %d packages listed: this proves nothing", packages)
	}
}

func check(t *testing.T, pkg listed) {
	top, ruled := folder(pkg.ImportPath)
	for _, imported := range pkg.Imports {
		for _, no := range forbidden[pkg.ImportPath] {
			if imported == no || strings.HasPrefix(imported, no+"/") {
				t.Errorf("%s must stay pure and imports %s", pkg.ImportPath, imported)
			}
		}
		target, ours := folder(imported)
		if !ruled || !ours {
			continue
		}
		if !contains(allowed[top], target) {
			t.Errorf("%s imports %s: %s may import only %v", pkg.ImportPath, imported, top, allowed[top])
		}
	}
}

// folder is the top folder of a package of ours that the rules speak of.
func folder(path string) (string, bool) {
	rest, ours := strings.CutPrefix(path, "cassini/")
	top, _, _ := strings.Cut(rest, "/")
	_, ruled := allowed[top]
	return top, ours && ruled
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}
