// Package kmod finds the kernel modules that a machine without a root file
// system needs: what each depends on, in which order, unpacked. Debian's
// packages do not carry modules.dep, so the modules themselves are asked.
package kmod

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// ErrNotFound says that a kernel has a module neither as a file nor built in.
var ErrNotFound = errors.New("no such module")

// Module is one module, uncompressed.
type Module struct {
	Name string // with underscores, as the kernel says it
	Data []byte
}

// Tree is the modules of one kernel. It is for one goroutine.
type Tree struct {
	files   map[string]string // by Name
	builtin map[string]bool
	loaded  map[string]bool
	order   []Module
}

// Open reads the directory of a kernel's modules, /lib/modules/RELEASE.
func Open(dir string) (*Tree, error) {
	tree := &Tree{files: make(map[string]string), builtin: make(map[string]bool), loaded: make(map[string]bool)}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.Contains(entry.Name(), ".ko") {
			tree.files[nameOf(path)] = path
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	builtin, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return nil, fmt.Errorf("list built-in modules: %w", err)
	}
	for line := range strings.Lines(string(builtin)) {
		tree.builtin[nameOf(strings.TrimSpace(line))] = true
	}
	return tree, nil
}

// Closure returns the named modules and all that they need, in an order in
// which they load. Those built into the kernel are left out.
func (t *Tree) Closure(names ...string) ([]Module, error) {
	t.order, t.loaded = nil, make(map[string]bool)
	for _, name := range names {
		if err := t.add(nameOf(name)); err != nil {
			return nil, err
		}
	}
	return t.order, nil
}

func (t *Tree) add(name string) error {
	if t.loaded[name] || t.builtin[name] {
		return nil
	}
	t.loaded[name] = true
	file, ok := t.files[name]
	if !ok {
		return fmt.Errorf("find module %s: %w", name, ErrNotFound)
	}
	data, err := unpack(file)
	if err != nil {
		return fmt.Errorf("read module %s: %w", name, err)
	}
	hard, soft, err := dependsOn(data)
	if err != nil {
		return fmt.Errorf("read module %s: %w", name, err)
	}
	for _, need := range append(hard, t.providers(soft)...) {
		if err := t.add(nameOf(need)); err != nil {
			return fmt.Errorf("%s needs: %w", name, err)
		}
	}
	t.order = append(t.order, Module{Name: name, Data: data})
	return nil
}

// providers are the modules behind what others ask the kernel for by name as they start. What is
// asked for is often an algorithm, whose plain implementation crypto/ names so. What has neither may be built in.
func (t *Tree) providers(soft []string) []string {
	var found []string
	for _, name := range soft {
		for _, module := range []string{nameOf(name), nameOf(name) + "_generic"} {
			if t.files[module] != "" {
				found = append(found, module)
				break
			}
		}
	}
	return found
}

// dependsOn reads from a module's .modinfo section what it needs, and what it likes to be there first.
func dependsOn(module []byte) (hard, soft []string, err error) {
	file, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, nil, errors.New("no .modinfo section")
	}
	info, err := section.Data()
	if err != nil {
		return nil, nil, err
	}
	hard, soft = parseModinfo(info)
	return hard, soft, nil
}

// parseModinfo reads "depends=a,b" and "softdep=pre: c d post: e".
func parseModinfo(info []byte) (hard, soft []string) {
	for entry := range strings.SplitSeq(string(info), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		switch key {
		case "depends":
			hard = append(hard, strings.FieldsFunc(value, func(r rune) bool { return r == ',' })...)
		case "softdep":
			before, _, _ := strings.Cut(value, "post:")
			soft = append(soft, strings.Fields(strings.TrimPrefix(before, "pre:"))...)
		}
	}
	return hard, soft
}

// nameOf makes "kernel/net/sched/sch-ingress.ko.xz" into "sch_ingress".
func nameOf(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}
