### WhatsApp: what its lists need. The same ids as in en/whatsapp.ftl.

# Opens a list; at most 20 characters.
whatsapp-choose = اختر
