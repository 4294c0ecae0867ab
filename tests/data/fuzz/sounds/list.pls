[playlist]
NumberOfEntries=1
File1=file:///etc/passwd
