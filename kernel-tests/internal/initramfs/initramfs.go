// Package initramfs packs what a virtual machine boots with: /init, programs, modules, and as
// much of a system as they need.
package initramfs

import (
	"compress/gzip"
	"errors"
	"fmt"
	"os"

	"cassini/kernel-tests/internal/cpio"
	"cassini/kernel-tests/internal/debian"
	"cassini/kernel-tests/internal/kmod"
)

// File is one file of an initramfs.
type File struct {
	Path string
	Mode uint32
	Data []byte
}

// etc is as much of /etc as lets programs name users and hosts. The machine-id is that of every
// machine that boots with this image.
var etc = [...]File{
	{"/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")},
	{"/etc/group", 0o644, []byte("root:x:0:\nnogroup:x:65534:\n")},
	{"/etc/hosts", 0o644, []byte("127.0.0.1 localhost cassini-vm\n::1 localhost ip6-localhost\n")},
	{"/etc/machine-id", 0o444, []byte(MachineID + "\n")},
	{"/etc/os-release", 0o644, []byte("ID=cassini-vm\nNAME=\"Cassini kernel test\"\nPRETTY_NAME=\"Cassini kernel test\"\n")},
}

// MachineID is what /etc/machine-id says in all of them.
const MachineID = "ca551100000000000000000000000001"

// mountPoints are there before anything is mounted.
var mountPoints = [...]string{"dev", "proc", "sys", "run", "tmp", "var", "root", "usr/bin", "usr/sbin"}

// Module is a module of a kernel.
type Module struct {
	File
	Name string // with underscores, as the kernel says it
}

// Modules are those of a kernel with these names and what they need, in the order to load them.
// Errors wrap kmod.ErrNotFound where it has none of a name.
func Modules(kernel debian.Kernel, names ...string) ([]Module, error) {
	tree, err := kmod.Open(kernel.Modules)
	if err != nil {
		return nil, err
	}
	found, err := tree.Closure(names...)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", kernel.Release, err)
	}
	var modules []Module
	for _, m := range found {
		modules = append(modules, Module{File{"/cassini/modules/" + m.Name + ".ko", 0o644, m.Data}, m.Name})
	}
	return modules, nil
}

// Write writes an initramfs with these files, besides what every one has.
func Write(path string, files []File) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	zip, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	archive := cpio.NewWriter(zip)
	for _, dir := range mountPoints {
		if err := archive.Dir(dir, 0o755); err != nil {
			return err
		}
	}
	for _, list := range [][]File{etc[:], files} {
		for _, f := range list {
			if err := archive.File(f.Path, f.Mode, f.Data); err != nil {
				return err
			}
		}
	}
	return errors.Join(archive.Close(), zip.Close())
}
