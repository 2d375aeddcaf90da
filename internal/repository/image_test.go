package repository

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// imageConfig is what .goreleaser.yml says about the image.
type imageConfig struct {
	Builds []struct {
		Binary string `yaml:"binary"`
	} `yaml:"builds"`
	Images []struct {
		Dockerfile string            `yaml:"dockerfile"`
		Images     []string          `yaml:"images"`
		Platforms  []string          `yaml:"platforms"`
		Args       map[string]string `yaml:"build_args"`
		Files      []string          `yaml:"extra_files"`
	} `yaml:"dockers_v2"`
}

// instructions are the lines of the Dockerfile, as instruction and arguments.
func instructions(t *testing.T) [][2]string {
	t.Helper()
	var all [][2]string
	for line := range strings.Lines(readFile(t, "Dockerfile")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, arguments, _ := strings.Cut(line, " ")
		all = append(all, [2]string{name, arguments})
	}
	return all
}

// onlyInstruction returns the arguments of the one instruction of a name.
func onlyInstruction(t *testing.T, name string) string {
	t.Helper()
	var found []string
	for _, i := range instructions(t) {
		if i[0] == name {
			found = append(found, i[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("got the instructions %s %q, want one", name, found)
	}
	return found[0]
}

// The Dockerfile copies what goreleaser puts into its context, runs nothing while it is
// built, and starts as a user without rights.
func TestTheImage(t *testing.T) {
	t.Parallel()
	var config imageConfig
	readYAML(t, ".goreleaser.yml", &config)
	if len(config.Images) != 1 || config.Images[0].Dockerfile != "Dockerfile" {
		t.Fatalf("got the images %+v, want one of Dockerfile", config.Images)
	}
	image := config.Images[0]
	binary := strings.NewReplacer("{{ .ProjectName }}", "terraform-provider-lytics", "{{ .Version }}", "${VERSION}").
		Replace(config.Builds[0].Binary)
	if image.Args["VERSION"] != "{{ .Version }}" {
		t.Errorf("got the build argument VERSION %q, want the version of the release", image.Args["VERSION"])
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, image.Platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
	var copied, names []string
	for _, i := range instructions(t) {
		names = append(names, i[0])
		if i[0] == "COPY" {
			fields := strings.Fields(i[1])
			copied = append(copied, fields[:len(fields)-1]...)
		}
	}
	if diff := cmp.Diff(append(slices.Clone(image.Files), "${TARGETPLATFORM}/"+binary), copied); diff != "" {
		t.Errorf("files of the context (-goreleaser +copied):\n%s", diff)
	}
	if slices.Contains(names, "RUN") || slices.Contains(names, "ADD") {
		t.Errorf("got the instructions %q, want none that executes or downloads something", names)
	}
	if base := onlyInstruction(t, "FROM"); !regexp.MustCompile(`^\S+:\S+$`).MatchString(base) || strings.HasSuffix(base, ":latest") {
		t.Errorf("got the base %q, want one with a tag that says what it is", base)
	}
	if entry, want := onlyInstruction(t, "ENTRYPOINT"), `["/usr/local/bin/terraform-provider-lytics"]`; entry != want {
		t.Errorf("got the entry point %s, want %s", entry, want)
	}
	if user := onlyInstruction(t, "USER"); !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(user) {
		t.Errorf("got the user %q, want numbers other than root's: Kubernetes compares them with runAsNonRoot", user)
	}
}

// pod is what the test reads of the manifest's Deployment.
type pod struct {
	Token    *bool `yaml:"automountServiceAccountToken"`
	Grace    int   `yaml:"terminationGracePeriodSeconds"`
	Security struct {
		NonRoot bool `yaml:"runAsNonRoot"`
		User    int  `yaml:"runAsUser"`
		Group   int  `yaml:"fsGroup"`
	} `yaml:"securityContext"`
	Containers []container `yaml:"containers"`
	Volumes    []struct {
		Name   string `yaml:"name"`
		Secret struct {
			Name string `yaml:"secretName"`
		} `yaml:"secret"`
	} `yaml:"volumes"`
}

type container struct {
	Image string   `yaml:"image"`
	Args  []string `yaml:"args"`
	Env   []struct {
		Name string `yaml:"name"`
		From struct {
			Secret struct {
				Name string `yaml:"name"`
				Key  string `yaml:"key"`
			} `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	} `yaml:"env"`
	Ports []struct {
		Name string `yaml:"name"`
		Port int    `yaml:"containerPort"`
	} `yaml:"ports"`
	Startup   probe `yaml:"startupProbe"`
	Ready     probe `yaml:"readinessProbe"`
	Live      probe `yaml:"livenessProbe"`
	Resources struct {
		Requests map[string]string `yaml:"requests"`
		Limits   map[string]string `yaml:"limits"`
	} `yaml:"resources"`
	Security struct {
		Escalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnly   bool  `yaml:"readOnlyRootFilesystem"`
	} `yaml:"securityContext"`
	Mounts []struct {
		Name string `yaml:"name"`
		Path string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	Get struct {
		Path, Port, Scheme string
	} `yaml:"httpGet"`
}

// object is one document of the manifest.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Replicas    int
		Strategy    struct{ Type string }
		Selector    any
		Unavailable int `yaml:"maxUnavailable"`
		Ports       []struct {
			Port   int
			Target string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     pod
		}
	}
}

const manifest = "examples/runner/kubernetes.yml"

// objects are the documents of the manifest, by kind.
func objects(t *testing.T) map[string]object {
	t.Helper()
	all := map[string]object{}
	for document := range strings.SplitSeq(readFile(t, manifest), "\n---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		if _, twice := all[o.Kind]; twice {
			t.Errorf("got two objects of the kind %s, want one", o.Kind)
		}
		all[o.Kind] = o
	}
	return all
}

// The manifest has everything that a fleet needs, and its parts fit each other, the image
// and the configuration of the runner.
func TestTheKubernetesManifest(t *testing.T) {
	t.Parallel()
	all := objects(t)
	for _, kind := range []string{"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"} {
		if _, ok := all[kind]; !ok {
			t.Errorf("got no %s, want one", kind)
		}
	}
	if _, ok := all["Secret"]; ok {
		t.Error("the manifest has a Secret, whose values would be in a repository")
	}
	deployment := all["Deployment"].Spec
	if deployment.Replicas < 2 || deployment.Strategy.Type != "Recreate" {
		t.Errorf("got %d replicas and the strategy %s, want a fleet, and Recreate: the store is migrated when no earlier release uses it",
			deployment.Replicas, deployment.Strategy.Type)
	}
	spec := deployment.Template.Spec
	if len(spec.Containers) != 1 {
		t.Fatalf("got %d containers, want one", len(spec.Containers))
	}
	c := spec.Containers[0]
	if user := onlyInstruction(t, "USER"); fmt.Sprintf("%d:%d", spec.Security.User, spec.Security.Group) != user || !spec.Security.NonRoot {
		t.Errorf("got the user %+v, want that of the image, %s", spec.Security, user)
	}
	var config imageConfig
	readYAML(t, ".goreleaser.yml", &config)
	name, tag, _ := strings.Cut(c.Image, ":")
	if name != config.Images[0].Images[0] || !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(tag) {
		t.Errorf("got the image %s, want a version of %s", c.Image, config.Images[0].Images[0])
	}
	if !c.Security.ReadOnly || c.Security.Escalation == nil || *c.Security.Escalation || spec.Token == nil || *spec.Token {
		t.Error("want a read-only root, no escalation of privileges, and no token of Kubernetes")
	}
	if spec.Grace < 30 || c.Resources.Limits["memory"] == "" || c.Resources.Requests["cpu"] == "" {
		t.Errorf("got the grace period %d and the resources %+v, want time to hand over runs, a limit of memory and a request",
			spec.Grace, c.Resources)
	}
	wantProbes(t, c)
	wantFiles(t, all["ConfigMap"], spec)
	wantSelected(t, all)
}

// wantProbes checks that the probes ask the runner's port for its health, as
// runner/api serves it.
func wantProbes(t *testing.T, c container) {
	t.Helper()
	for path, p := range map[string]probe{"/healthz": c.Live, "/readyz": c.Ready} {
		if p.Get.Path != path || p.Get.Port != c.Ports[0].Name || p.Get.Scheme != "HTTPS" {
			t.Errorf("got the probe %+v, want %s at the port %s by HTTPS", p.Get, path, c.Ports[0].Name)
		}
	}
	if c.Startup.Get != c.Live.Get {
		t.Errorf("got the startup probe %+v, want that of life, %+v", c.Startup.Get, c.Live.Get)
	}
}

// wantFiles checks that the files that the arguments and the configuration name are in
// mounted volumes, that the configuration listens on the port, and that the comment of the
// manifest makes every key of the secrets.
func wantFiles(t *testing.T, settings object, spec pod) {
	t.Helper()
	c := spec.Containers[0]
	volumes := map[string]bool{}
	for _, v := range spec.Volumes {
		volumes[v.Name] = true
	}
	mounted := map[string]bool{}
	for _, m := range c.Mounts {
		if mounted[m.Path] = true; !volumes[m.Name] {
			t.Errorf("the mount %s has no volume", m.Name)
		}
	}
	var runner struct {
		DataDir string `yaml:"data_dir"`
		Listen  string `yaml:"listen"`
		Cert    string `yaml:"tls_cert"`
		Key     string `yaml:"tls_key"`
	}
	if err := yaml.Unmarshal([]byte(settings.Data["runner.yml"]), &runner); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{c.Args[len(c.Args)-1], runner.Cert, runner.Key, runner.DataDir} {
		if !mounted[path.Dir(file)] {
			t.Errorf("%s is in none of the mounts %v", file, mounted)
		}
	}
	if want := fmt.Sprintf(":%d", c.Ports[0].Port); !strings.HasSuffix(runner.Listen, want) {
		t.Errorf("the runner listens on %s, want the container's port %s", runner.Listen, want)
	}
	text := readFile(t, manifest)
	for _, e := range c.Env {
		if e.From.Secret.Key == "" || !strings.Contains(text, "--from-literal="+e.From.Secret.Key+"=") {
			t.Errorf("%s has no secret that the first comment makes: %+v", e.Name, e.From.Secret)
		}
	}
	for _, v := range spec.Volumes {
		if s := v.Secret.Name; s != "" && !strings.Contains(text, "kubectl create secret tls "+s) {
			t.Errorf("the first comment does not make the secret %s", s)
		}
	}
}

// wantSelected checks that the service and the budget select the pods of the deployment.
func wantSelected(t *testing.T, all map[string]object) {
	t.Helper()
	labels := map[string]any{}
	for k, v := range all["Deployment"].Spec.Template.Metadata.Labels {
		labels[k] = v
	}
	matched := map[string]any{"matchLabels": labels}
	for kind, want := range map[string]any{"Service": labels, "PodDisruptionBudget": matched, "Deployment": matched} {
		if diff := cmp.Diff(want, all[kind].Spec.Selector); diff != "" {
			t.Errorf("selector of the %s (-want +got):\n%s", kind, diff)
		}
	}
	if n := all["PodDisruptionBudget"].Spec.Unavailable; n != 1 {
		t.Errorf("got %d runners that may be missing, want 1", n)
	}
}
