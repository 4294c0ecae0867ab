"""How well a clip's face follows its sound, judged from the decoded video alone: landmarks are found anew in it."""
