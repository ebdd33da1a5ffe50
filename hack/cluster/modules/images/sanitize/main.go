// Command sanitize finds and removes what a tenant may have left on a node. Each subcommand is one step of a cleaning:
// it removes, looks once more, and fails with a list of what is still there.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: sanitize COMMAND
  files PATTERN...         remove whatever matches, a folder with all that is in it
  volumes FOLDER           remove what is left in a kubelet's FOLDER of pods that no container belongs to
  images KEEP...           remove images that no container uses, but those that begin with one of KEEP
  processes ALLOWED...     kill processes of the node's cgroup that are neither in an ALLOWED one nor a container's`

// ctr is containerd's own client, which the image has beside this program. It finds the socket where the step mounts it.
const ctr = "/ctr"

const patience = 10 * time.Second

var began = time.Now()

func main() {
	left, err := run(os.Args[1:])
	for _, each := range left {
		fmt.Fprintln(os.Stderr, "cannot be removed:", each)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || len(left) > 0 {
		os.Exit(1)
	}
}

// run returns what is left after a step.
func run(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("%s", usage)
	}
	switch command, rest := args[0], args[1:]; {
	case command == "files" && len(rest) > 0:
		return files(rest)
	case command == "volumes" && len(rest) == 1:
		return volumes(rest[0])
	case command == "images":
		return images(rest)
	case command == "processes":
		return processes(rest)
	default:
		return nil, fmt.Errorf("%s", usage)
	}
}

func files(patterns []string) (left []string, err error) {
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			left = append(left, remove(path)...)
		}
	}
	return left, nil
}

// remove removes a path with all that is in it, and says why it could not.
func remove(path string) []string {
	fmt.Println("removing", path)
	detach(path)
	if err := os.RemoveAll(path); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// detach unmounts what is mounted below a path. Here it is a copy of the node's mount; a mount point that is removed
// from here is unmounted on the node as well.
func detach(path string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return
	}
	lines := strings.Split(strings.TrimSpace(string(mounts)), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		fields := strings.Fields(lines[i])
		if len(fields) > 1 && (fields[1] == path || strings.HasPrefix(fields[1], path+"/")) {
			_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
		}
	}
}

// volumes looks at folders that are older than this process: one of a pod that comes just now has no container yet.
func volumes(folder string) (left []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.ModTime().After(began) {
			continue
		}
		known, err := containers(entry.Name())
		if err != nil {
			return nil, err
		}
		if len(known) == 0 {
			left = append(left, remove(filepath.Join(folder, entry.Name()))...)
		}
	}
	return left, nil
}

// containers lists the containers of a pod, its sandbox among them.
func containers(pod string) ([]string, error) {
	return lines("containers", "list", "-q", fmt.Sprintf(`labels."io.kubernetes.pod.uid"==%s`, pod))
}

// images tells images by what they are, not by what they are called: each has several names.
func images(keep []string) (left []string, err error) {
	used, err := inUse()
	if err != nil {
		return nil, err
	}
	for attempt := 0; attempt < 2; attempt++ {
		listed, err := rows("images", "list")
		if err != nil {
			return nil, err
		}
		digests := map[string]string{}
		for _, row := range listed {
			digests[row[0]] = row[2]
		}
		kept := map[string]bool{}
		for name, digest := range digests {
			if used[name] || used[digest] || begins(name, keep) {
				kept[digest] = true
			}
		}
		left = nil
		for name, digest := range digests {
			if !kept[digest] {
				left = append(left, name)
			}
		}
		if attempt == 0 && len(left) > 0 {
			fmt.Println("removing", strings.Join(left, " "))
			_, _ = lines(append([]string{"images", "remove", "--sync"}, left...)...)
		}
	}
	return left, nil
}

func inUse() (map[string]bool, error) {
	running, err := rows("containers", "list")
	used := map[string]bool{}
	for _, row := range running {
		used[row[1]] = true
	}
	return used, err
}

func begins(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// processes kills until none is left: what forks meanwhile is found in the next round.
func processes(allowed []string) (left []string, err error) {
	root, err := nodeGroup()
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		stray, err := strays(root, allowed)
		if err != nil || len(stray) == 0 || time.Now().After(deadline) {
			return stray, err
		}
		for _, each := range stray {
			var pid int
			if _, err := fmt.Sscan(each, &pid); err == nil {
				fmt.Println("killing", each)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

// nodeGroup is the cgroup in which this node's pods are: what is above it is not this node's.
func nodeGroup() (string, error) {
	own, err := group("self")
	if err != nil {
		return "", err
	}
	root, _, found := strings.Cut(own, "/kubepods")
	if !found {
		return "", fmt.Errorf("this step is in the cgroup %s; run it privileged, so that it sees the node's", own)
	}
	return root, nil
}

// strays lists processes, each with its command, that nobody on the node has any business with.
func strays(root string, allowed []string) (found []string, err error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, path := range all {
		pid := filepath.Base(path)
		inside, err := group(pid)
		place, isOurs := strings.CutPrefix(inside, root+"/")
		command, _ := os.ReadFile(path + "/cmdline")
		// A kernel thread has no command, and one that has ended no cgroup.
		if err != nil || !isOurs || len(command) == 0 || begins(place+"/", slashed(allowed)) {
			continue
		}
		if uid := podOf(place); uid != "" {
			if _, asked := known[uid]; !asked {
				of, err := containers(uid)
				if err != nil {
					return nil, err
				}
				known[uid] = len(of) > 0
			}
			if known[uid] {
				continue
			}
		}
		found = append(found, pid+" "+strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " ")))
	}
	return found, nil
}

func slashed(names []string) (paths []string) {
	for _, name := range names {
		paths = append(paths, strings.Trim(name, "/")+"/")
	}
	return paths
}

// podOf is the UID of the pod that a cgroup belongs to, by the name that the kubelet gives it; "" if to none.
func podOf(place string) string {
	for _, part := range strings.Split(place, "/") {
		if name, isPod := strings.CutPrefix(part, "pod"); isPod && strings.HasPrefix(place, "kubepods") {
			return name
		}
		if _, name, isPod := strings.Cut(part, "-pod"); isPod && strings.HasSuffix(part, ".slice") {
			return strings.ReplaceAll(strings.TrimSuffix(name, ".slice"), "_", "-")
		}
	}
	return ""
}

// group is the cgroup of a process: of version 2, or else the one that version 1 counts memory by.
func group(pid string) (string, error) {
	text, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return "", err
	}
	place := ""
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) == 3 && (fields[1] == "memory" || (fields[1] == "" && place == "")) {
			place = fields[2]
		}
	}
	return place, nil
}

// rows are the lines of a table without its head, each in its columns.
func rows(args ...string) (table [][]string, err error) {
	found, err := lines(args...)
	for i, line := range found {
		if fields := strings.Fields(line); i > 0 && len(fields) > 2 {
			table = append(table, fields)
		}
	}
	return table, err
}

func lines(args ...string) ([]string, error) {
	command := exec.Command(ctr, append([]string{"--namespace", "k8s.io"}, args...)...)
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("ctr %s: %w", strings.Join(args, " "), err)
	}
	trimmed := strings.TrimSpace(string(text))
	if trimmed == "" {
		return nil, nil
	}
	return strings.Split(trimmed, "\n"), nil
}
